// A number with its noun.
//
// Threads: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace larder {

// "1 write", "2 writes". REQUIRES: the noun's plural ends in s.
[[nodiscard]] inline std::string counted(std::uint64_t number, std::string_view noun) {
  return std::to_string(number) + ' ' + std::string{noun} + (number == 1 ? "" : "s");
}

}  // namespace larder
