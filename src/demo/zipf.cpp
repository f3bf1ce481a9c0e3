#include "demo/zipf.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>
#include <span>

namespace larder::demo {
namespace {

constexpr double kUnit = 1ULL << 40;  // the weight of the first rank

// rank^(quarters / 4), by square roots only.
double power(double rank, unsigned quarters) {
  double result = 1;
  for (unsigned i = 0; i < quarters / 4; ++i) result *= rank;
  if ((quarters & 2U) != 0) result *= std::sqrt(rank);
  if ((quarters & 1U) != 0) result *= std::sqrt(std::sqrt(rank));
  return result;
}

}  // namespace

Zipf::Zipf(std::uint32_t ranks, unsigned quarters) {
  assert(ranks > 0 && ranks <= 1U << 22 && quarters <= 8);
  up_to_.reserve(ranks);
  std::uint64_t sum = 0;
  for (std::uint32_t rank = 1; rank <= ranks; ++rank) {
    sum += std::max<std::uint64_t>(static_cast<std::uint64_t>(kUnit / power(rank, quarters)), 1);
    up_to_.push_back(sum);
  }
}

std::uint32_t Zipf::draw(Random& random) const {
  // Rejection keeps it unbiased: less than half of the draws are thrown away.
  const std::uint64_t total = up_to_.back();
  const int spare = std::countl_zero(total);
  std::uint64_t point = 0;
  do point = random.next() >> spare;
  while (point >= total);
  const auto found = std::ranges::upper_bound(up_to_, point);
  return static_cast<std::uint32_t>(found - up_to_.begin());
}

std::vector<std::uint32_t> Zipf::apportion(std::uint32_t total) const {
  std::vector<std::uint32_t> counts;
  counts.reserve(up_to_.size());
  const auto whole = static_cast<double>(up_to_.back());
  std::uint32_t given = 0;
  for (const std::uint64_t up_to : up_to_) {
    const double share = static_cast<double>(up_to) / whole;
    const auto due = static_cast<std::uint32_t>(share * total);
    counts.push_back(due - given);
    given = due;
  }
  return counts;
}

Popularity::Popularity(std::uint32_t things, unsigned quarters, std::uint64_t seed)
    : zipf_{things, quarters}, by_rank_(things) {
  std::iota(by_rank_.begin(), by_rank_.end(), 0U);
  Random random{seed, 0x706f70756c6172};
  random.shuffle(std::span{by_rank_});
}

}  // namespace larder::demo
