// Numbers that nobody else has: for tokens, generations and processes' names.
//
// Threads: pure functions, but that each number is another.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace larder::shared {

[[nodiscard]] inline std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

// 16 digits.
[[nodiscard]] inline std::string hex(std::uint64_t number) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned shift = 0; shift < 64; shift += 4) text += kHex[number >> shift & 15U];
  return text;
}

}  // namespace larder::shared
