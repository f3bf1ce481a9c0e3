#include "cache/expiry_timer.hpp"

#include <gtest/gtest.h>

#include "hand_source.hpp"
#include "larder/memory_tier.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using namespace literals;

using Tier = MemoryTier<int, std::string>;

class ExpiryTimerTest : public ::testing::Test {
 public:
  ~ExpiryTimerTest() override { timer_->stop(); }
  void put_many(int entries, Duration ttl) {
    const TimePoint now = clock_.now();
    for (int i = 0; i < entries; ++i) {
      const EntryInfo info{.filled_at = now, .fresh_until = now + ttl, .usable_until = now + ttl};
      ASSERT_EQ(tier_->put(i, "x", info, now), PutOutcome::kStored);
    }
  }

  ManualClock clock_;
  larder::testing::HandTimers timers_{clock_};
  std::shared_ptr<Tier> tier_ = std::make_shared<Tier>(MemoryOptions{.capacity = 64_MiB});
  std::shared_ptr<ExpiryTimer<Tier>> timer_ =
      std::make_shared<ExpiryTimer<Tier>>(tier_, timers_, clock_);
};

TEST_F(ExpiryTimerTest, WhatExpiresTogetherIsGoneWithinASecondHoweverManyItIs) {
  put_many(300'000, 10s);
  timer_->run();
  timers_.advance(9s);
  EXPECT_EQ(tier_->stats().entries, 300'000U);

  timers_.advance(2s);

  EXPECT_EQ(tier_->stats().entries, 0U);
}

TEST_F(ExpiryTimerTest, ASliceIsShortAndTheNextComesSoon) {
  put_many(12'000, 10s);
  clock_.advance(10s);

  timer_->run();
  EXPECT_EQ(tier_->stats().entries, 7'000U);

  timers_.advance(2ms);
  EXPECT_EQ(tier_->stats().entries, 0U);
}

TEST_F(ExpiryTimerTest, DoesNothingOnceItIsStopped) {
  put_many(10, 10s);
  timer_->run();

  timer_->stop();
  timers_.advance(1min);

  EXPECT_EQ(tier_->stats().entries, 10U);
}

}  // namespace
}  // namespace larder
