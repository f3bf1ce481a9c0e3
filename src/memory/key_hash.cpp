#include "larder/detail/memory/key_hash.hpp"

#include <bit>
#include <random>

namespace larder::detail {

namespace {

// SplitMix64: spreads a seed, however poor, over all bits.
std::uint64_t spread(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

KeyHash::KeyHash(std::uint64_t seed) {
  for (std::uint64_t& secret : secret_) {
    // An operand with few bits set, or few clear, would fold badly.
    do {
      secret = spread(seed) | 1;
    } while (std::popcount(secret) < 24 || std::popcount(secret) > 40);
  }
}

std::uint64_t KeyHash::random_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace larder::detail
