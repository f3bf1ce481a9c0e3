// The first words of error replies, counted one by one: INFO's errorstats. The same
// list stands in docs/redis-protocol.md.
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace larder {

inline constexpr std::array<std::string_view, 15> kErrorPrefixes{
    "ERR",     "REFUSED",   "SOURCE", "BUSY",   "TIMEOUT", "CANCELLED", "REJECTED", "CONFLICT",
    "UNKNOWN", "WRONGPASS", "NOAUTH", "NOPERM", "NOPROTO", "EXECABORT", "INTERNAL"};

// The place of an error's first word among them; of one that is not there, ERR's.
[[nodiscard]] constexpr std::size_t index_of_prefix(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  for (std::size_t i = 0; i < kErrorPrefixes.size(); ++i) {
    if (kErrorPrefixes[i] == word) return i;
  }
  return 0;
}

}  // namespace larder
