#include "larder/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"

namespace larder {

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

template <class Integer>
void append_integer(std::string& out, Integer number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// 0..63; 64 for a character outside of the alphabet.
std::array<unsigned char, 256> base64_values() {
  std::array<unsigned char, 256> values;
  values.fill(64);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[byte_at(kBase64, i)] = static_cast<unsigned char>(i);
  }
  return values;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

bool append_json_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  std::size_t copied = 0;  // what is before it is already in `out`
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain(text[at])) {
      ++at;
      continue;
    }
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    if (length == 1 && text[at] != '\x7f') {
      out.append(text, copied, at - copied);
      append_escape(out, text[at]);
      copied = at + 1;
    }
    at += length;
  }
  out.append(text, copied);
  out += '"';
  return true;
}

void append_json_integer(std::string& out, std::int64_t number) { append_integer(out, number); }
void append_json_integer(std::string& out, std::uint64_t number) { append_integer(out, number); }

bool append_json_double(std::string& out, double number) {
  if (!std::isfinite(number)) return false;
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const std::string_view text{digits.data(), end};
  out += text;
  // A real stays a real: 3.0, not 3.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
  return true;
}

void append_base64(std::string& out, std::span<const std::byte> bytes) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned three = (at(i) << 16U) | (at(i + 1) << 8U) | at(i + 2);
    out += kBase64[three >> 18U];
    out += kBase64[(three >> 12U) & 63U];
    out += i + 1 < bytes.size() ? kBase64[(three >> 6U) & 63U] : '=';
    out += i + 2 < bytes.size() ? kBase64[three & 63U] : '=';
  }
}

Result<std::vector<std::byte>> decode_base64(std::string_view text) {
  static const std::array<unsigned char, 256> values = base64_values();
  const auto refuse = [] { return fail(Errc::kBadValue, "the text is not base64"); };
  if (text.size() % 4 != 0) return refuse();

  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);

  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  unsigned bits = 0;
  unsigned held = 0;  // how many bits of `bits` are not out yet
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const unsigned value = values[byte_at(digits, i)];
    if (value == 64) return refuse();
    bits = (bits << 6U) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<std::byte>((bits >> held) & 0xFFU));
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return refuse();  // a text that no encoder writes
  return bytes;
}

}  // namespace larder
