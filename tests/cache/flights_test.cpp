#include "larder/detail/flights.hpp"

#include <gtest/gtest.h>

#include <string>

namespace larder {
namespace {

using Flights = detail::Flights<std::string, int, std::hash<std::string>, std::equal_to<>>;
using Waiters = std::vector<int>;

class FlightsTest : public testing::Test {
 protected:
  Flights::Boarding board(int waiter) { return flights_.board(kKey, waiter, false, {}); }
  Flights::Boarding board_anew(int waiter) { return flights_.board(kKey, waiter, true, {}); }

  const std::string kKey = "product:42";
  const TimePoint now_{std::chrono::hours{1}};
  Flights flights_;
};

TEST_F(FlightsTest, TheFirstReaderStartsAndTheOthersJoin) {
  const auto first = board(1);
  const auto second = board(2);

  EXPECT_TRUE(first.start);
  EXPECT_FALSE(second.start);
  EXPECT_EQ(first.flight, second.flight);
}

TEST_F(FlightsTest, TellsOfALoadSinceWhenItReads) {
  EXPECT_FALSE(flights_.find(kKey));
  const auto flight = board(1).flight;
  EXPECT_EQ(flights_.find(kKey).value().began, std::nullopt);

  ASSERT_TRUE(flights_.take_off(flight, now_));

  EXPECT_EQ(flights_.find(kKey).value().began, now_);
}

TEST_F(FlightsTest, LandingTellsAllOnBoardAndMayFill) {
  const auto flight = board(1).flight;
  board(2);
  ASSERT_TRUE(flights_.take_off(flight, now_));

  const auto landing = flights_.land(flight);

  EXPECT_EQ(landing.waiters, (Waiters{1, 2}));
  EXPECT_TRUE(landing.may_fill);
  EXPECT_EQ(landing.next, nullptr);
  EXPECT_EQ(flights_.size(), 0U);
}

// As when a shared tier was asked before the source.
TEST_F(FlightsTest, ALoadThatBeginsAgainIsNewEnoughForThoseWhoCameBetween) {
  const auto flight = board(1).flight;
  ASSERT_TRUE(flights_.take_off(flight, now_));
  board_anew(2);
  flights_.abandon(flight, [](int waiter) { return waiter == 1; });

  ASSERT_TRUE(flights_.take_off(flight, now_ + std::chrono::seconds{1}));

  const auto landing = flights_.land(flight);
  EXPECT_EQ(landing.waiters, (Waiters{2}));
  EXPECT_EQ(landing.next, nullptr);
}

TEST_F(FlightsTest, ADoomedFlightAnswersButFillsNothing) {
  const auto doomed = board(1).flight;
  ASSERT_TRUE(flights_.take_off(doomed, now_));
  flights_.doom(kKey);

  const auto later = board(2);
  const auto landing = flights_.land(doomed);

  EXPECT_TRUE(later.start);
  EXPECT_NE(later.flight, doomed);
  EXPECT_EQ(landing.waiters, (Waiters{1}));
  EXPECT_FALSE(landing.may_fill);
  EXPECT_EQ(flights_.land(later.flight).waiters, (Waiters{2}));
}

TEST_F(FlightsTest, OfARetiredTableNoFlightFillsWheneverItBegan) {
  const auto before = board(1).flight;
  flights_.retire();
  const auto first = flights_.land(before);

  const auto second = flights_.land(board(2).flight);

  EXPECT_EQ(first.waiters, (Waiters{1}));
  EXPECT_FALSE(first.may_fill);
  EXPECT_EQ(second.waiters, (Waiters{2}));
  EXPECT_FALSE(second.may_fill);
}

TEST_F(FlightsTest, AnInvalidationSparesAFlightThatHasNotBegunToRead) {
  const auto queued = board(1).flight;

  flights_.doom(kKey);

  EXPECT_FALSE(board(2).start);
  ASSERT_TRUE(flights_.take_off(queued, now_));
  EXPECT_TRUE(flights_.land(queued).may_fill);
}

TEST_F(FlightsTest, DoomAllDoomsEveryFlightUnderWay) {
  const auto one = board(1).flight;
  const auto two = flights_.board("product:43", 2, false, {}).flight;
  ASSERT_TRUE(flights_.take_off(one, now_));
  ASSERT_TRUE(flights_.take_off(two, now_));

  flights_.doom_all();

  EXPECT_FALSE(flights_.land(one).may_fill);
  EXPECT_FALSE(flights_.land(two).may_fill);
}

TEST_F(FlightsTest, ReadersWhoWantItAnewShareTheNextFlight) {
  const auto flight = board(1).flight;
  ASSERT_TRUE(flights_.take_off(flight, now_));

  EXPECT_FALSE(board_anew(2).start);
  EXPECT_FALSE(board_anew(3).start);
  const auto landing = flights_.land(flight);

  EXPECT_EQ(landing.waiters, (Waiters{1}));
  ASSERT_NE(landing.next, nullptr);
  EXPECT_EQ(flights_.land(landing.next).waiters, (Waiters{2, 3}));
}

TEST_F(FlightsTest, ReadersWhoWantItAnewMayBoardWhatHasNotBegun) {
  const auto flight = board(1).flight;
  board_anew(2);

  ASSERT_TRUE(flights_.take_off(flight, now_));
  EXPECT_EQ(flights_.land(flight).waiters, (Waiters{1, 2}));
}

TEST_F(FlightsTest, AfterADoomThoseWhoWantedItAnewBoardTheFlightThatBeganSince) {
  const auto doomed = board(1).flight;
  ASSERT_TRUE(flights_.take_off(doomed, now_));
  board_anew(2);
  flights_.doom(kKey);
  const auto since = board(3).flight;

  const auto landing = flights_.land(doomed);

  EXPECT_EQ(landing.next, nullptr);
  EXPECT_EQ(flights_.land(since).waiters, (Waiters{3, 2}));
}

TEST_F(FlightsTest, AbandoningHarmsNobodyElse) {
  const auto flight = board(1).flight;
  board(2);

  flights_.abandon(flight, [](int waiter) { return waiter == 1; });

  ASSERT_TRUE(flights_.take_off(flight, now_));
  EXPECT_EQ(flights_.land(flight).waiters, (Waiters{2}));
}

TEST_F(FlightsTest, AFlightThatNobodyWaitsForDoesNotTakeOff) {
  const auto flight = board(1).flight;
  flights_.abandon(flight, [](int) { return true; });

  EXPECT_FALSE(flights_.take_off(flight, now_));
  EXPECT_TRUE(board(2).start);
}

TEST_F(FlightsTest, AFlightUnderWayGoesOnWithoutItsReaders) {
  const auto flight = board(1).flight;
  ASSERT_TRUE(flights_.take_off(flight, now_));
  flights_.abandon(flight, [](int) { return true; });

  EXPECT_TRUE(flights_.land(flight).may_fill);
}

TEST_F(FlightsTest, LandingTwiceFindsNobodyTheSecondTime) {
  const auto flight = board(1).flight;
  ASSERT_TRUE(flights_.take_off(flight, now_));
  (void)flights_.land(flight);
  board(2);

  const auto again = flights_.land(flight);

  EXPECT_TRUE(again.waiters.empty());
  EXPECT_FALSE(again.may_fill);
  EXPECT_TRUE(flights_.find(kKey));
}

}  // namespace
}  // namespace larder
