#include "demo/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace larder::demo {
namespace {

// Computed apart from this code, from the authors' reference implementations.
TEST(Random, IsXoshiro256StarStarFilledBySplitmix64) {
  Random random{42};

  EXPECT_EQ(random.next(), 1546998764402558742ULL);
  EXPECT_EQ(random.next(), 6990951692964543102ULL);
  EXPECT_EQ(random.next(), 12544586762248559009ULL);
}

TEST(Random, StreamsOfOneSeedDiffer) {
  Random first{42, 1};
  Random second{42, 2};

  EXPECT_NE(first.next(), second.next());
}

TEST(Random, StaysBelowTheBoundAndReachesAllOfIt) {
  Random random{1};
  std::vector<int> seen(7);

  for (int i = 0; i < 1'000; ++i) ++seen.at(random.below(7));

  EXPECT_GT(*std::ranges::min_element(seen), 100);
}

TEST(Random, ShufflesWithoutLosingAnything) {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  Random random{3};

  random.shuffle(std::span{items});

  EXPECT_FALSE(std::ranges::is_sorted(items));
  std::ranges::sort(items);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(items[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace larder::demo
