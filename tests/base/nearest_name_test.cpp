#include "base/nearest_name.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace larder {
namespace {

constexpr std::array<std::string_view, 4> kNames{"ttl", "negative_ttl", "source", "strategy"};

TEST(EditDistance, CountsTypingMistakes) {
  EXPECT_EQ(edit_distance("ttl", "ttl"), 0U);
  EXPECT_EQ(edit_distance("ttl", "tl"), 1U);
  EXPECT_EQ(edit_distance("ttl", "tttl"), 1U);
  EXPECT_EQ(edit_distance("ttl", "tfl"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(EditDistance, CountsTwoSwappedLettersOnce) {
  EXPECT_EQ(edit_distance("soucre", "source"), 1U);
}

TEST(EditDistance, IgnoresCase) { EXPECT_EQ(edit_distance("TTL", "ttl"), 0U); }

TEST(EditDistance, IsBoundedForTextsOfAnyLength) {
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');

  EXPECT_EQ(edit_distance(a, b), 64U);
}

TEST(NearestName, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_name("tll", kNames), "ttl");
  EXPECT_EQ(nearest_name("stratgy", kNames), "strategy");
  EXPECT_EQ(nearest_name("negativ_tll", kNames), "negative_ttl");
}

TEST(NearestName, DoesNotGuessWildly) {
  EXPECT_EQ(nearest_name("colour", kNames), std::nullopt);
  EXPECT_EQ(nearest_name("", kNames), std::nullopt);
}

}  // namespace
}  // namespace larder
