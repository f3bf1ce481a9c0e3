// Until when memory may be believed, without a network.
#include "shared/hearing.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "cache/hand_source.hpp"

namespace larder::shared {
namespace {

using namespace std::chrono_literals;

class HearingTest : public ::testing::Test {
 protected:
  // An ear that hears all until now.
  void hear(const int& ear) { hearing_->heard(&ear, clock_.now()); }
  [[nodiscard]] bool holds() const { return hearing_->holds(clock_.now()); }
  // As a reader does.
  void read() {
    if (!holds()) hearing_->lapse(clock_.now());
  }

  ManualClock clock_;
  larder::testing::HandTimers timers_{clock_};
  int drops_ = 0;
  std::function<void()> also_;  // while memory is dropped
  std::shared_ptr<Hearing> hearing_ = Hearing::start({std::shared_ptr<void>{}, &timers_}, [this] {
    ++drops_;
    if (also_) also_();
  });
  const int one_ = 1;
  const int two_ = 2;
};

TEST_F(HearingTest, BeforeItHearsMemoryKeepsForAShortTimeAndIsBelieved) {
  hearing_->expect(&one_);

  EXPECT_TRUE(holds());
  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
}

TEST_F(HearingTest, WhatIsHeardVouchesForABound) {
  hearing_->expect(&one_);
  hear(one_);

  clock_.advance(Hearing::kBound);
  EXPECT_TRUE(holds());
  EXPECT_EQ(hearing_->longest(), Duration::max());
  clock_.advance(1ns);
  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, TheTimeOfAskingCountsAndNotThatOfTheAnswer) {
  hearing_->expect(&one_);
  const TimePoint asked = clock_.now();
  clock_.advance(600ms);
  hearing_->heard(&one_, asked);

  clock_.advance(401ms);

  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, AnAnswerFromBeforeAPauseVouchesForNothing) {
  hearing_->expect(&one_);
  hear(one_);
  const TimePoint asked = clock_.now();
  clock_.advance(10s);

  hearing_->heard(&one_, asked);

  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, ALapseDropsMemoryOnceAndLetsItBeShortLived) {
  hearing_->expect(&one_);
  hear(one_);
  clock_.advance(2s);

  read();
  read();

  EXPECT_EQ(drops_, 1);
  EXPECT_EQ(hearing_->lapses(), 1U);
  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
  clock_.advance(1h);
  EXPECT_TRUE(holds());
}

TEST_F(HearingTest, WhenItHearsAgainAllIsAsBefore) {
  hearing_->expect(&one_);
  hear(one_);
  clock_.advance(2s);
  read();

  hear(one_);

  EXPECT_EQ(hearing_->longest(), Duration::max());
  clock_.advance(Hearing::kBound + 1ns);
  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, WhatItHearsWhileMemoryIsDroppedStands) {
  hearing_->expect(&one_);
  hear(one_);
  clock_.advance(2s);
  also_ = [this] {
    EXPECT_EQ(hearing_->longest(), Hearing::kBound) << "what comes now is short-lived already";
    hear(one_);
  };

  read();

  EXPECT_EQ(hearing_->longest(), Duration::max());
  clock_.advance(Hearing::kBound + 1ns);
  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, WhatOneHearsWhileMemoryIsDroppedForAnotherLetsNobodyIn) {
  hearing_->expect(&one_);
  hearing_->expect(&two_);
  hear(one_);
  hear(two_);
  clock_.advance(2s);
  also_ = [this] {
    hear(two_);
    EXPECT_FALSE(holds());
    EXPECT_EQ(hearing_->longest(), Hearing::kBound);
  };

  read();

  EXPECT_TRUE(holds());
  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
}

TEST_F(HearingTest, OfSeveralServersEachMustBeHeard) {
  hearing_->expect(&one_);
  hearing_->expect(&two_);
  hear(one_);
  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
  hear(two_);
  EXPECT_EQ(hearing_->longest(), Duration::max());

  clock_.advance(600ms);
  hear(one_);
  clock_.advance(600ms);

  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, AServerThatTakesAnothersPlaceIsVouchedForNoLonger) {
  hearing_->expect(&one_);
  hear(one_);
  clock_.advance(600ms);
  hearing_->expect(&two_);
  hearing_->forget(&one_);

  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
  clock_.advance(401ms);
  EXPECT_FALSE(holds());
}

TEST_F(HearingTest, AServerThatIsGoneIsNotWaitedFor) {
  hearing_->expect(&one_);
  hearing_->expect(&two_);
  hear(one_);
  clock_.advance(600ms);
  hear(two_);
  hearing_->forget(&one_);
  hear(one_);

  clock_.advance(600ms);

  EXPECT_TRUE(holds());
}

TEST_F(HearingTest, ThoughNobodyReadsMemoryIsDropped) {
  hearing_->expect(&one_);
  hear(one_);

  timers_.advance(2s);

  EXPECT_EQ(drops_, 1);
  hearing_->close();
  EXPECT_EQ(timers_.size(), 0U);
}

// Caches may go on without it.
TEST_F(HearingTest, WhereNothingIsHeardAnyMoreMemoryIsBelievedForTheBound) {
  hearing_->expect(&one_);
  hear(one_);
  hearing_->forget(&one_);
  hearing_->close();

  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
  clock_.advance(Hearing::kBound);
  EXPECT_TRUE(holds());
  clock_.advance(1ms);
  EXPECT_FALSE(holds());
  hearing_->lapse(clock_.now());

  EXPECT_EQ(drops_, 1);
  EXPECT_TRUE(holds());
  EXPECT_EQ(hearing_->longest(), Hearing::kBound);
}

}  // namespace
}  // namespace larder::shared
