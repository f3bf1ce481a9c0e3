#include "larder/detail/memory/ghosts.hpp"

#include <gtest/gtest.h>

namespace larder::detail {
namespace {

// Hashes whose low half, and so whose set, is the same.
std::uint64_t alike(std::uint64_t number) { return (number + 1) << 41; }

TEST(Ghosts, TellOnceOfWhatTheyRemember) {
  Ghosts ghosts;
  ghosts.resize(100);
  ghosts.add(alike(1), {.admitted = 7, .evicted = 9, .from_main = true});

  Ghost ghost;
  ASSERT_TRUE(ghosts.take(alike(1), ghost));

  EXPECT_EQ(ghost.admitted, 7U);
  EXPECT_EQ(ghost.evicted, 9U);
  EXPECT_TRUE(ghost.from_main);
  EXPECT_FALSE(ghosts.take(alike(1), ghost));
}

TEST(Ghosts, ForgetTheOldestOfASetFirst) {
  Ghosts ghosts;
  ghosts.resize(100);
  for (std::uint32_t i = 0; i < 9; ++i) ghosts.add(alike(i), {.admitted = i});

  Ghost ghost;
  EXPECT_FALSE(ghosts.take(alike(0), ghost));
  for (std::uint32_t i = 1; i < 9; ++i) {
    EXPECT_TRUE(ghosts.take(alike(i), ghost)) << i;
    EXPECT_EQ(ghost.admitted, i);
  }
}

TEST(Ghosts, RememberNothingWithoutRoomAndForgetAllWhenItChanges) {
  Ghosts ghosts;
  Ghost ghost;
  ghosts.add(alike(1), {});
  EXPECT_FALSE(ghosts.take(alike(1), ghost));
  EXPECT_EQ(ghosts.bytes(), 0U);

  ghosts.resize(100);
  ghosts.add(alike(1), {});
  ghosts.resize(200);

  EXPECT_FALSE(ghosts.take(alike(1), ghost));
  EXPECT_EQ(ghosts.bytes(), 200 * 8U);
}

TEST(Ghosts, KnowTheirAgeAcrossTheEndOfTheirCount) {
  const Ghost ghost{.admitted = Ghost::kTimes - 2};

  EXPECT_EQ(ghost.age(3), 6U);
  EXPECT_EQ(ghost.age((1U << Ghost::kTimeBits) + 3), 6U);
}

}  // namespace
}  // namespace larder::detail
