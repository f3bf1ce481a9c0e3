#include "demo/zipf.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace larder::demo {
namespace {

TEST(Zipf, SharesOutExactlyTheTotal) {
  for (const unsigned quarters : {0U, 1U, 2U, 3U, 4U, 8U}) {
    const auto counts = Zipf{1'000, quarters}.apportion(123'457);

    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0U), 123'457U) << quarters;
  }
}

TEST(Zipf, SharesOutByTheLaw) {
  const auto counts = Zipf{3, 4}.apportion(11'000);  // 1 : 1/2 : 1/3

  EXPECT_NEAR(counts[0], 6'000, 1);
  EXPECT_NEAR(counts[1], 3'000, 1);
  EXPECT_NEAR(counts[2], 2'000, 1);
}

TEST(Zipf, ExponentZeroIsUniform) {
  const auto counts = Zipf{10, 0}.apportion(1'000);

  EXPECT_TRUE(std::ranges::all_of(counts, [](std::uint32_t count) { return count == 100; }));
}

TEST(Zipf, SharesOutNothing) {
  const auto counts = Zipf{5, 2}.apportion(0);

  EXPECT_TRUE(std::ranges::all_of(counts, [](std::uint32_t count) { return count == 0; }));
}

TEST(Zipf, DrawsAsOftenAsTheLawSays) {
  constexpr std::uint32_t kRanks = 50;
  constexpr int kDraws = 200'000;
  const Zipf zipf{kRanks, 4};
  Random random{11};
  std::vector<int> drawn(kRanks);
  for (int i = 0; i < kDraws; ++i) ++drawn.at(zipf.draw(random));

  double harmonic = 0;
  for (std::uint32_t rank = 1; rank <= kRanks; ++rank) harmonic += 1.0 / rank;
  for (std::uint32_t rank = 1; rank <= kRanks; ++rank) {
    const double expected = kDraws / (rank * harmonic);
    EXPECT_NEAR(drawn[rank - 1], expected, 5 * std::sqrt(expected)) << "rank " << rank;
  }
}

TEST(Zipf, OneRankIsAlwaysDrawn) {
  const Zipf zipf{1, 4};
  Random random{5};

  EXPECT_EQ(zipf.draw(random), 0U);
}

TEST(Popularity, IsTheSameForTheSameSeed) {
  const Popularity popular{1'000, 4, 9};
  const Popularity again{1'000, 4, 9};
  const Popularity other{1'000, 4, 10};

  EXPECT_EQ(popular.by_rank(), again.by_rank());
  EXPECT_NE(popular.by_rank(), other.by_rank());
}

TEST(Popularity, ScattersEveryThingOnce) {
  std::vector<std::uint32_t> things = Popularity{1'000, 4, 9}.by_rank();
  std::ranges::sort(things);

  for (std::uint32_t i = 0; i < 1'000; ++i) ASSERT_EQ(things[i], i);
}

}  // namespace
}  // namespace larder::demo
