#include "config/setting_text.hpp"

#include <array>
#include <charconv>

#include "base/quantity.hpp"

namespace larder {

std::string format_fraction(double value) {
  std::array<char, 64> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return std::string{digits.data(), end};
}

std::string format_setting(std::int64_t value) { return std::to_string(value); }
std::string format_setting(unsigned value) { return std::to_string(value); }
std::string format_setting(double value) { return format_fraction(value); }
std::string format_setting(Duration value) { return format_duration(value); }
std::string format_setting(ByteCount value) { return format_bytes(value); }

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 60;
  if (text.size() <= kMost) return "\"" + std::string{text} + "\"";
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // in UTF-8
  return "\"" + std::string{text.substr(0, end)} + "…\"";
}

std::string list_names(std::span<const std::string_view> names, std::string_view before) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += before;
    out += name;
  }
  return out;
}

std::string last_name(std::string_view path) {
  return std::string{path.substr(path.rfind('.') + 1)};
}

}  // namespace larder
