#include "demo/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "demo/random.hpp"

namespace larder::demo {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, HasNoPercentileWhenNothingWasRecorded) {
  const Histogram histogram;

  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(99), 0ns);
}

TEST(Histogram, IsExactForShortDurations) {
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(Duration{i});

  EXPECT_EQ(histogram.percentile(50), 50ns);
  EXPECT_EQ(histogram.percentile(99), 99ns);
  EXPECT_EQ(histogram.percentile(100), 100ns);
  EXPECT_EQ(histogram.percentile(0), 1ns);
}

TEST(Histogram, CountsNegativeDurationsAsZero) {
  Histogram histogram;
  histogram.record(-5ns);

  EXPECT_EQ(histogram.percentile(100), 0ns);
}

TEST(Histogram, HoldsTheLongestDuration) {
  Histogram histogram;
  histogram.record(Duration::max());

  EXPECT_EQ(histogram.percentile(50), Duration::max());
}

TEST(Histogram, IsNeverBelowTheTruthAndAtMostOnePercentAbove) {
  constexpr std::uint64_t kSeed = 7;
  Random random{kSeed};
  Histogram histogram;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(static_cast<std::int64_t>(random.next() >> (2 + random.below(60))));
    histogram.record(Duration{all.back()});
  }
  std::ranges::sort(all);

  for (const double percent : {0.1, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 20'000));
    const std::int64_t truth = all[rank - 1];
    const std::int64_t told = histogram.percentile(percent).count();
    EXPECT_GE(told, truth) << percent << " of seed " << kSeed;
    EXPECT_LE(static_cast<double>(told), static_cast<double>(truth) * 1.008)
        << percent << " of seed " << kSeed;
  }
}

TEST(Histogram, MergedCountsBoth) {
  Histogram fast;
  Histogram slow;
  for (int i = 0; i < 99; ++i) fast.record(10ns);
  slow.record(200ns);

  fast.merge(slow);

  EXPECT_EQ(fast.count(), 100U);
  EXPECT_EQ(fast.percentile(99), 10ns);
  EXPECT_EQ(fast.percentile(99.5), 200ns);
}

}  // namespace
}  // namespace larder::demo
