#include "larder/load_gate.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace larder {
namespace {

using Verdict = LoadTurns::Verdict;

TEST(LoadTurns, SoManyGoAndSoManyWaitAndTheRestIsRefused) {
  LoadTurns turns{2, 1};

  EXPECT_EQ(turns.enter(), Verdict::kGo);
  EXPECT_EQ(turns.enter(), Verdict::kGo);
  EXPECT_EQ(turns.enter(), Verdict::kWait);
  EXPECT_EQ(turns.enter(), Verdict::kRefuse);
}

TEST(LoadTurns, APlaceGoesToWhoHasWaitedNotToWhoComesNow) {
  LoadTurns turns{1, 2};
  ASSERT_EQ(turns.enter(), Verdict::kGo);
  ASSERT_EQ(turns.enter(), Verdict::kWait);
  turns.leave();

  EXPECT_EQ(turns.enter(), Verdict::kWait);
  EXPECT_TRUE(turns.next());
  EXPECT_FALSE(turns.next());
}

TEST(LoadTurns, NobodyGoesBeyondTheLimit) {
  LoadTurns turns{1, 1};
  ASSERT_EQ(turns.enter(), Verdict::kGo);
  ASSERT_EQ(turns.enter(), Verdict::kWait);

  EXPECT_FALSE(turns.next());
}

TEST(LoadGate, WaitingWorkRunsInOrderAsPermitsComeBack) {
  const auto gate = std::make_shared<LoadGate>(LoadLimits{.concurrent = 1, .waiting = 8});
  std::vector<int> order;
  std::vector<LoadGate::Permit> permits;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(gate->enter([&, i](LoadGate::Permit permit) {
      order.push_back(i);
      permits.push_back(std::move(permit));
    }));
  }
  EXPECT_EQ(order, (std::vector{0}));

  while (!permits.empty()) {
    auto ended = std::move(permits);
    permits.clear();
  }

  EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(gate->going(), 0U);
}

TEST(LoadGate, RefusesBeyondItsLimits) {
  const auto gate = std::make_shared<LoadGate>(LoadLimits{.concurrent = 1, .waiting = 1});
  std::optional<LoadGate::Permit> held;
  ASSERT_TRUE(gate->enter([&](LoadGate::Permit permit) { held.emplace(std::move(permit)); }));
  ASSERT_TRUE(gate->enter([](LoadGate::Permit) {}));

  EXPECT_FALSE(gate->enter([](LoadGate::Permit) { FAIL() << "ran beyond the limit"; }));
}

TEST(LoadGate, WorkThatEndsAtOnceDoesNotNestAStackFrameEach) {
  constexpr unsigned kMany = 200'000;  // would overflow the stack
  const auto gate = std::make_shared<LoadGate>(LoadLimits{.concurrent = 1, .waiting = kMany});
  unsigned ran = 0;
  {
    std::optional<LoadGate::Permit> held;
    ASSERT_TRUE(gate->enter([&](LoadGate::Permit permit) { held.emplace(std::move(permit)); }));
    for (unsigned i = 0; i < kMany; ++i) {
      ASSERT_TRUE(gate->enter([&](LoadGate::Permit) { ++ran; }));
    }
  }

  EXPECT_EQ(ran, kMany);
  EXPECT_EQ(gate->going(), 0U);
}

TEST(LoadGate, WorkThatIsWithdrawnMakesRoomAndDoesNotRun) {
  const auto gate = std::make_shared<LoadGate>(LoadLimits{.concurrent = 1, .waiting = 1});
  std::optional<LoadGate::Permit> held;
  bool ran = false;
  ASSERT_TRUE(gate->enter([&](LoadGate::Permit permit) { held.emplace(std::move(permit)); }));
  const auto ticket = gate->enter([](LoadGate::Permit) { FAIL() << "ran, though withdrawn"; });
  ASSERT_TRUE(ticket);

  gate->withdraw(*ticket);
  gate->withdraw(*ticket);
  ASSERT_TRUE(gate->enter([&](LoadGate::Permit) { ran = true; }));
  held.reset();

  EXPECT_TRUE(ran);
  EXPECT_EQ(gate->queued(), 0U);
}

TEST(LoadGate, RefusesLimitsThatLetNothingThrough) {
  EXPECT_THROW(LoadGate({.wait_timeout = Duration::zero()}), std::invalid_argument);
  EXPECT_THROW(LoadGate({.concurrent = 0}), std::invalid_argument);
  EXPECT_THROW(LoadGate({.timeout = Duration::zero()}), std::invalid_argument);
}

}  // namespace
}  // namespace larder
