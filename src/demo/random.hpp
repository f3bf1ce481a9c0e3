// Random numbers that are the same on every machine and with every library, so
// that a seed names a shop and a sequence of requests for good.
//
// Threads: one generator, one thread.
//
// Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
// generators" (2021): xoshiro256**, its state filled by splitmix64.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace larder::demo {

class Random {
 public:
  // Generators of one seed with different streams are independent.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) {
    std::uint64_t filler = seed ^ (stream * 0xd1342543de82ef95ULL);
    for (std::uint64_t& word : state_) word = splitmix(filler);
  }

  [[nodiscard]] std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // From 0 to `bound` - 1; each with the same chance to within 2^-32.
  // REQUIRES: bound > 0.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

  // REQUIRES: first <= last.
  [[nodiscard]] std::uint32_t between(std::uint32_t first, std::uint32_t last) {
    return first + below(last - first + 1);
  }

  // True in `percent` of a hundred calls.
  [[nodiscard]] bool chance(std::uint32_t percent) { return below(100) < percent; }

  // One of them. REQUIRES: not empty.
  template <class Items>
  [[nodiscard]] const auto& pick(const Items& items) {
    return items[below(static_cast<std::uint32_t>(std::size(items)))];
  }

  // Fisher and Yates. REQUIRES: items.size() < 2^32.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(static_cast<std::uint32_t>(left))]);
    }
  }

 private:
  static std::uint64_t splitmix(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace larder::demo
