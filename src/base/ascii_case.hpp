// Capital and small letters of ASCII, whatever the locale; other bytes stay as they are.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace larder {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lowered(std::string_view text) {
  std::string small{text};
  std::ranges::transform(small, small.begin(), [](char c) { return lower(c); });
  return small;
}

[[nodiscard]] constexpr bool same_but_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace larder
