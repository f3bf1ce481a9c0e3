#include "server/source_state.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
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

TEST_F(SourceStateTest, OneThatGoesOnFailingAfterItWasToldToAnswerIsToldOfInTheEnd) {
  state_.failed("one");
  state_.answered();
  state_.failed("two");  // too soon to be told
  told_.clear();

  clock_.advance(10s);
  state_.failed("three");
  state_.failed("four");

  EXPECT_EQ(told_, (std::vector<std::string>{"ill: source shop fails: three"}));
  EXPECT_EQ(state_.standing().lasting, 10s);
}

// Whoever reports while another is being told waits for nobody, and is not told first.
TEST(SourceStateOrderTest, WhatHappensWhileItIsToldIsToldAfterwards) {
  ManualClock clock;
  std::vector<std::string> told;
  SourceState* reported = nullptr;
  SourceState state{clock, "shop", [&](bool well, const std::string&) {
                      if (!well) std::thread{[&] { reported->answered(); }}.join();
                      told.emplace_back(well ? "well" : "ill");
                    }};
  reported = &state;

  state.failed("shop.db was removed");

  EXPECT_EQ(told, (std::vector<std::string>{"ill", "well"}));
}

}  // namespace
}  // namespace larder
