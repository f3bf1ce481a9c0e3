#include "workload.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace larder::bench {

std::uint64_t digest(std::string_view bytes) {
  std::uint64_t all = 0;
  std::size_t at = 0;
  for (; at + sizeof all <= bytes.size(); at += sizeof all) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    all ^= word;
  }
  for (; at < bytes.size(); ++at) all ^= static_cast<unsigned char>(bytes[at]);
  return all;
}

std::vector<std::uint64_t> make_keys(std::uint64_t count) {
  std::vector<std::uint64_t> keys(count);
  std::uint64_t state = 0;
  for (std::uint64_t& key : keys) {  // SplitMix64: no two alike
    state += 0x9E3779B97F4A7C15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    key = z ^ (z >> 31);
  }
  return keys;
}

std::vector<std::uint64_t> draw_zipf(const std::vector<std::uint64_t>& keys, double exponent,
                                     std::size_t draws, std::uint64_t seed) {
  std::vector<double> up_to(keys.size());
  double sum = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    sum += std::pow(static_cast<double>(i + 1), -exponent);
    up_to[i] = sum;
  }
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<double> uniform{0, sum};
  std::vector<std::uint64_t> drawn(draws);
  for (std::uint64_t& key : drawn) {
    const auto at = std::ranges::lower_bound(up_to, uniform(random)) - up_to.begin();
    key = keys[std::min(static_cast<std::size_t>(at), keys.size() - 1)];
  }
  return drawn;
}

}  // namespace larder::bench
