#include "behind/flush_plan.hpp"

#include <gtest/gtest.h>

namespace larder::behind {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<std::string>;
using Verdict = FlushPlan::Verdict;

// A plan of small batches on a clock that stands still until told to move.
class FlushPlanTest : public testing::Test {
 protected:
  void add(const Keys& keys) {
    for (const std::string& key : keys) plan_.add(key, now_);
  }
  Keys take() { return plan_.take(now_); }
  void pass(Duration time) { now_ += time; }
  // All of the batch came to `verdict`.
  void end(const Keys& batch, Verdict verdict, bool more = false) {
    std::vector<FlushPlan::Ended> ended;
    for (const std::string& key : batch) ended.push_back({key, verdict, more});
    plan_.ended(std::move(ended), now_, 0.999);
  }

  FlushPlan plan_{
      {.delay = 10ms, .backoff = {.least = 100ms, .most = 1s}, .batch = 3, .at_once = 2}};
  TimePoint now_{1h};
};

TEST_F(FlushPlanTest, AWriteWaitsForCompanyForTheDelay) {
  add({"a"});
  pass(9ms);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(plan_.next_look(), now_ + 1ms);

  pass(1ms);

  EXPECT_EQ(take(), Keys{"a"});
}

TEST_F(FlushPlanTest, AFullBatchGoesAtOnceAndInOrder) {
  add({"a", "b", "c", "d"});

  EXPECT_EQ(take(), (Keys{"a", "b", "c"}));
  EXPECT_TRUE(take().empty());
}

TEST_F(FlushPlanTest, OnlySoManyBatchesAreOut) {
  add({"a", "b", "c", "d", "e", "f", "g", "h", "i"});
  const Keys first = take();
  const Keys second = take();

  EXPECT_TRUE(take().empty());
  EXPECT_EQ(plan_.next_look(), std::nullopt);
  end(first, Verdict::kSettled);

  EXPECT_EQ(take(), (Keys{"g", "h", "i"}));
}

TEST_F(FlushPlanTest, AKeyWithFurtherWritesGoesOnWithoutDelay) {
  add({"a"});
  pass(10ms);

  end(take(), Verdict::kSettled, /*more=*/true);

  EXPECT_EQ(take(), Keys{"a"});
}

TEST_F(FlushPlanTest, WhenAllFailsTheSourceRestsLongerEachTime) {
  add({"a", "b", "c"});
  end(take(), Verdict::kAgain);
  EXPECT_EQ(plan_.failing_since(), now_);
  pass(99ms);
  EXPECT_TRUE(take().empty());
  pass(1ms);
  end(take(), Verdict::kAgain);

  pass(100ms);
  EXPECT_TRUE(take().empty());
  pass(100ms);

  EXPECT_EQ(take(), (Keys{"a", "b", "c"}));
}

TEST_F(FlushPlanTest, WhileAllFailsOneBatchAtATimeAsks) {
  add({"a", "b", "c", "d", "e", "f"});
  end(take(), Verdict::kAgain);
  pass(100ms);
  const Keys probe = take();

  EXPECT_EQ(probe, (Keys{"a", "b", "c"}));
  EXPECT_TRUE(take().empty());
  end(probe, Verdict::kSettled);

  EXPECT_EQ(plan_.failing_since(), std::nullopt);
  EXPECT_EQ(take(), (Keys{"d", "e", "f"}));
}

TEST_F(FlushPlanTest, BatchesThatFailTogetherCountOnce) {
  add({"a", "b", "c", "d", "e", "f"});
  const Keys first = take();
  const Keys second = take();
  end(first, Verdict::kAgain);
  end(second, Verdict::kAgain);

  pass(100ms);

  EXPECT_EQ(take().size(), 3U);
}

TEST_F(FlushPlanTest, OneThatFailsAmongOthersRestsAndGoesAlone) {
  add({"a", "b", "c"});
  const Keys batch = take();
  plan_.ended({{"a", Verdict::kSettled}, {"b", Verdict::kAgain}, {"c", Verdict::kSettled}}, now_,
              0.999);
  add({"d", "e", "f"});

  EXPECT_EQ(take(), (Keys{"d", "e", "f"}));
  EXPECT_TRUE(take().empty());
  pass(100ms);

  EXPECT_EQ(take(), Keys{"b"});
}

TEST_F(FlushPlanTest, OneThatKeepsFailingHoldsNobodyUp) {
  add({"a", "b", "c"});
  (void)take();
  plan_.ended({{"a", Verdict::kSettled}, {"b", Verdict::kAgain}, {"c", Verdict::kSettled}}, now_,
              0.999);
  pass(100ms);
  end(take(), Verdict::kAgain);

  add({"d", "e", "f"});

  EXPECT_EQ(plan_.failing_since(), std::nullopt);
  EXPECT_EQ(take(), (Keys{"d", "e", "f"}));
}

TEST_F(FlushPlanTest, OneThatRecoversIsTreatedAsTheOthers) {
  add({"a", "b", "c"});
  (void)take();
  plan_.ended({{"a", Verdict::kSettled}, {"b", Verdict::kAgain}, {"c", Verdict::kSettled}}, now_,
              0.999);
  pass(100ms);
  end(take(), Verdict::kSettled);

  add({"a", "b", "c"});

  EXPECT_EQ(take(), (Keys{"a", "b", "c"}));
}

TEST_F(FlushPlanTest, InAHurryNothingWaits) {
  add({"a"});
  pass(10ms);
  end(take(), Verdict::kAgain);
  add({"b"});

  plan_.hurry();

  EXPECT_EQ(take(), (Keys{"a", "b"}));
}

TEST_F(FlushPlanTest, CountsBatchesAndRetries) {
  add({"a", "b", "c"});
  end(take(), Verdict::kAgain);
  pass(100ms);
  end(take(), Verdict::kSettled);

  EXPECT_EQ(plan_.batches(), 2U);
  EXPECT_EQ(plan_.retries(), 3U);
}

}  // namespace
}  // namespace larder::behind
