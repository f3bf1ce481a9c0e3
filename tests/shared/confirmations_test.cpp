// Who waits for what.
#include "shared/confirmations.hpp"

#include <gtest/gtest.h>

#include <string>

namespace larder::shared {
namespace {

class ConfirmationsTest : public testing::Test {
 protected:
  void wait(char name) {
    auto then = all_.wait([this, name] { over_ += name; });
    if (then) (*then)();
  }
  void end(Confirmations::Step step) {
    for (auto& then : all_.end(step)) then();
  }

  Confirmations all_;
  std::string over_;
};

TEST_F(ConfirmationsTest, WhoWaitsForNothingGoesOnAtOnce) {
  wait('a');
  EXPECT_EQ(over_, "a");

  end(all_.begin());
  wait('b');
  EXPECT_EQ(over_, "ab");
}

TEST_F(ConfirmationsTest, OnlyWhatBeganBeforeIsWaitedFor) {
  const auto before = all_.begin();
  wait('a');
  const auto later = all_.begin();
  wait('b');

  end(before);
  EXPECT_EQ(over_, "a");
  end(later);
  EXPECT_EQ(over_, "ab");
}

TEST_F(ConfirmationsTest, AllThatBeganBeforeIsWaitedForInWhateverOrderItEnds) {
  const auto first = all_.begin();
  wait('a');
  const auto second = all_.begin();
  const auto third = all_.begin();
  wait('b');

  end(third);
  end(second);
  EXPECT_EQ(over_, "") << "the first is open";
  end(first);
  EXPECT_EQ(over_, "ab");
}

TEST_F(ConfirmationsTest, TwoWhoWaitForTheSameBothGoOn) {
  const auto step = all_.begin();
  wait('a');
  wait('b');

  end(step);

  EXPECT_EQ(over_, "ab");
}

TEST_F(ConfirmationsTest, WhatWasNeverSentIsNotWaitedFor) {
  (void)all_.begin();
  all_.take_back();
  wait('a');

  EXPECT_EQ(over_, "a");
}

TEST_F(ConfirmationsTest, WhenNoneIsAnsweredAnyMoreAllGoOn) {
  (void)all_.begin();
  wait('a');
  (void)all_.begin();
  wait('b');
  (void)all_.begin();

  for (auto& then : all_.end_all()) then();

  EXPECT_EQ(over_, "ab");
  wait('c');
  EXPECT_EQ(over_, "abc");
}

}  // namespace
}  // namespace larder::shared
