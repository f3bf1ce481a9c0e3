#include "demo/pace.hpp"

#include <gtest/gtest.h>

namespace larder::demo {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{100s};

TEST(Schedule, WithoutAPaceAPageIsDueAsSoonAsTheLastCame) {
  Schedule schedule{{.duration = 5s}, 16, 0, kStart};

  EXPECT_EQ(schedule.next(kStart), kStart);
  EXPECT_EQ(schedule.next(kStart + 3s), kStart + 3s);
}

TEST(Schedule, WithAPaceSlowAnswersDoNotDelayWhatIsDue) {
  Schedule prompt{{.duration = 5s, .pages_per_second = 100}, 1, 0, kStart};
  Schedule late{{.duration = 5s, .pages_per_second = 100}, 1, 0, kStart};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(prompt.next(kStart), late.next(kStart + 4s));
  }
}

TEST(Schedule, AllViewersTogetherKeepThePace) {
  constexpr unsigned kViewers = 8;
  const Pace pace{.duration = 10s, .pages_per_second = 1'000};
  int pages = 0;
  for (unsigned i = 0; i < kViewers; ++i) {
    Schedule schedule{pace, kViewers, i, kStart};
    for (TimePoint due = schedule.next(kStart); !schedule.over(due, due);
         due = schedule.next(due)) {
      ++pages;
    }
  }

  EXPECT_NEAR(pages, 10'000, 300);
}

TEST(Schedule, ViewersAskAtTimesOfTheirOwn) {
  const Pace pace{.duration = 5s, .pages_per_second = 100};
  Schedule first{pace, 2, 0, kStart};
  Schedule second{pace, 2, 1, kStart};

  EXPECT_NE(first.next(kStart), second.next(kStart));
}

TEST(Schedule, IsOverWhenItsTimeIsOver) {
  const Schedule schedule{{.duration = 5s, .pages_per_second = 100}, 1, 0, kStart};

  EXPECT_FALSE(schedule.over(kStart + 4s, kStart + 4s));
  EXPECT_TRUE(schedule.over(kStart + 5s, kStart + 4s));  // nothing is due any more
  EXPECT_TRUE(schedule.over(kStart + 4s, kStart + 5s));  // hopelessly late
}

}  // namespace
}  // namespace larder::demo
