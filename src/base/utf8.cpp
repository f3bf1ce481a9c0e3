#include "base/utf8.hpp"

#include <algorithm>

namespace larder {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xC0U) == 0x80U;
}

// U+0000 to U+001F, and U+007F to U+009F.
bool is_control(std::string_view text, std::size_t at, std::size_t length) {
  const unsigned first = byte_at(text, at);
  if (length == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && byte_at(text, at + 1) < 0xA0;
}

void append_escaped(std::string& out, unsigned byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\x";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(text, at + 1)) return 0;
  if (first < 0xE0) return 2;

  const unsigned second = byte_at(text, at + 1);
  if (!continues(text, at + 2)) return 0;
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first < 0xF0) return 3;

  if (!continues(text, at + 3)) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return 4;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  for (std::size_t at = 0; at < text.size() && at < most;) {
    const std::size_t known = utf8_length(text, at);
    const std::size_t length = std::max<std::size_t>(known, 1);
    if (known != 0 && !is_control(text, at, known)) {
      out.append(text, at, length);
    } else {
      for (std::size_t i = at; i < at + length; ++i) append_escaped(out, byte_at(text, i));
    }
    at += length;
  }
  return out;
}

}  // namespace larder
