// Zipf's law: the thing of rank k (from 1) has weight 1 / k^exponent.
//
// The same numbers on every machine: weights are integers, made with square
// roots and divisions alone, which IEEE 754 rounds in one way. That is why the
// exponent comes in quarters.
//
// Threads: immutable once made.
#pragma once

#include <cstdint>
#include <vector>

#include "demo/random.hpp"

namespace larder::demo {

class Zipf {
 public:
  // `quarters` is the exponent times four: 4 is what requests to web sites are
  // like (L. Breslau et al., INFOCOM 1999), 0 is uniform.
  // REQUIRES: 0 < ranks <= 2^22, quarters <= 8. Takes 8 bytes a rank.
  Zipf(std::uint32_t ranks, unsigned quarters);

  // A rank, from 0 (the most popular). O(log ranks).
  [[nodiscard]] std::uint32_t draw(Random& random) const;

  // `total` things shared out by weight: how many each rank gets. Sums to
  // `total` exactly; each is within one of its share.
  [[nodiscard]] std::vector<std::uint32_t> apportion(std::uint32_t total) const;

  [[nodiscard]] std::uint32_t ranks() const { return static_cast<std::uint32_t>(up_to_.size()); }

 private:
  std::vector<std::uint64_t> up_to_;  // the weight of this rank and of all before it
};

// Which of `things` (from 0) is asked for: Zipf-popular, the popular ones
// scattered over all by the seed.
class Popularity {
 public:
  // REQUIRES: as Zipf.
  Popularity(std::uint32_t things, unsigned quarters, std::uint64_t seed);

  [[nodiscard]] std::uint32_t draw(Random& random) const { return by_rank_[zipf_.draw(random)]; }

  // Thing by rank.
  [[nodiscard]] const std::vector<std::uint32_t>& by_rank() const { return by_rank_; }

 private:
  Zipf zipf_;
  std::vector<std::uint32_t> by_rank_;
};

}  // namespace larder::demo
