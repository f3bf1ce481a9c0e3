#include "base/plain_name.hpp"

#include <algorithm>

namespace larder {

std::optional<std::string> problem_with_plain_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (name.empty()) return "is empty";
  if (!plain) return "has other characters than letters, digits, '_', '-' and '.'";
  if (name.size() > kLongest) return "has more than 64 characters";
  return std::nullopt;
}

}  // namespace larder
