// What the contenders are asked: keys, values, and the order in which keys come.
//
// Threads: immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::bench {

// 64 bytes, as eight words.
using Value = std::array<std::uint64_t, 8>;

// A reader looks at every byte of what it asked for.
[[nodiscard]] inline std::uint64_t digest(const Value& value) {
  std::uint64_t all = 0;
  for (const std::uint64_t word : value) all ^= word;
  return all;
}
[[nodiscard]] std::uint64_t digest(std::string_view bytes);

// The value of a key, so that a wrong answer is noticed. Its digest is the key.
[[nodiscard]] inline Value value_of(std::uint64_t key) { return {key, 1, 2, 3, 1, 2, 3, 0}; }
[[nodiscard]] inline std::string_view bytes_of(const Value& value) {
  return {reinterpret_cast<const char*>(value.data()), sizeof value};
}

// `count` keys in random order, all different, spread over 64 bits.
[[nodiscard]] std::vector<std::uint64_t> make_keys(std::uint64_t count);

// Draws of `keys`: the one at place k (from 1) with weight 1 / k^exponent.
[[nodiscard]] std::vector<std::uint64_t> draw_zipf(const std::vector<std::uint64_t>& keys,
                                                   double exponent, std::size_t draws,
                                                   std::uint64_t seed);

}  // namespace larder::bench
