#include "server/source_state.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "larder/clock.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

class SourceStateTest : public testing::Test {
 protected:
  ManualClock clock_;
  std::vector<std::string> told_;
  SourceState state_{clock_, "shop", [this](bool well, const std::string& sentence) {
                       told_.push_back((well ? "well: " : "ill: ") + sentence);
                     }};
};

TEST_F(SourceStateTest, TellsOnceThatItFailsAndOnceThatItAnswersAgain) {
  state_.answered();
  state_.failed("shop.db was removed");
  state_.failed("shop.db was removed");
  state_.answered();
  state_.answered();

  EXPECT_EQ(told_, (std::vector<std::string>{"ill: source shop fails: shop.db was removed",
                                             "well: source shop answers again"}));
}

TEST_F(SourceStateTest, OneThatComesAndGoesIsToldOfNowAndThen) {
  for (int i = 0; i < 1000; ++i) {
    state_.failed("no such column");
    state_.answered();
    clock_.advance(20ms);
  }

  EXPECT_EQ(told_.size(), 4U);  // in twenty seconds
}

TEST_F(SourceStateTest, WhatWasNotToldToFailIsNotToldToAnswer) {
  state_.failed("one");
  state_.answered();
  state_.failed("two");
  told_.clear();

  state_.answered();

  EXPECT_TRUE(told_.empty());
  EXPECT_TRUE(state_.standing().well);
}

}  // namespace
}  // namespace larder
