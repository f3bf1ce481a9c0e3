#include "demo/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace larder::demo {

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

Duration Histogram::percentile(double percent) const {
  if (count_ == 0) return Duration::zero();
  const auto rank =
      static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_)));
  const std::uint64_t wanted = std::clamp<std::uint64_t>(rank, 1, count_);
  std::uint64_t seen = 0;
  std::size_t i = 0;
  while ((seen += counts_[i]) < wanted) ++i;
  return Duration{static_cast<Duration::rep>(top(i))};
}

}  // namespace larder::demo
