#include "larder/freshness.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace larder {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow{1h};

TEST(Freshness, JitterSpreadsTheLifeEvenlyAroundTheTtl) {
  const Freshness freshness{{.ttl = 100s, .jitter = 0.1, .negative_ttl = 5s}};

  EXPECT_EQ(freshness.value(kNow, {}, 0.0).fresh_until, kNow + 90s);
  EXPECT_EQ(freshness.value(kNow, {}, 0.5).fresh_until, kNow + 100s);
  EXPECT_EQ(freshness.value(kNow, {}, 0.75).fresh_until, kNow + 105s);
}

TEST(Freshness, ACallersTtlTakesTheSameJitter) {
  const Freshness freshness{{.ttl = 100s, .jitter = 0.5, .negative_ttl = 5s}};

  EXPECT_EQ(freshness.value(kNow, 10s, 0.0).usable_until, kNow + 5s);
}

TEST(Freshness, AnAbsenceHasItsOwnTtl) {
  const Freshness freshness{{.ttl = 100s, .jitter = 0, .negative_ttl = 5s}};

  const auto info = freshness.absence(kNow, 0.3);

  ASSERT_TRUE(info);
  EXPECT_TRUE(info->absent);
  EXPECT_EQ(info->usable_until, kNow + 5s);
}

TEST(Freshness, ZeroNegativeTtlKeepsNoAbsence) {
  const Freshness freshness{{.ttl = 100s, .jitter = 0, .negative_ttl = 0s}};

  EXPECT_FALSE(freshness.absence(kNow, 0.3));
}

TEST(Freshness, NoEntryLivesForEver) {
  const Freshness freshness{{.ttl = Duration::max(), .jitter = 0.5, .negative_ttl = 0s}};

  const auto info = freshness.value(kNow, Duration::max(), 0.999);

  EXPECT_GT(info.usable_until, kNow);
  EXPECT_LT(info.usable_until, TimePoint::max());
}

TEST(Freshness, RefusesWhatCannotWork) {
  EXPECT_THROW(Freshness({.ttl = 0s}), std::invalid_argument);
  EXPECT_THROW(Freshness({.jitter = 1.0}), std::invalid_argument);
  EXPECT_THROW(Freshness({.jitter = -0.1}), std::invalid_argument);
  EXPECT_THROW(Freshness({.negative_ttl = -1s}), std::invalid_argument);
}

}  // namespace
}  // namespace larder
