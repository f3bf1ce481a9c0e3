#include "server/admission.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace larder {
namespace {

using namespace std::chrono_literals;
using Verdict = Admission::Verdict;

// Seats are kept until they are given back.
class AdmissionTest : public ::testing::Test {
 protected:
  void limit(AdmissionLimits limits) { admission_ = std::make_shared<Admission>(limits); }
  Verdict connect(const std::string& address) {
    auto answer = admission_->ask(boost::asio::ip::make_address(address), now_);
    if (answer.verdict == Verdict::kLetIn) seats_.push_back(std::move(answer.seat));
    return answer.verdict;
  }

  std::shared_ptr<Admission> admission_ = std::make_shared<Admission>(AdmissionLimits{});
  TimePoint now_{1h};
  std::vector<Admission::Seat> seats_;
};

TEST_F(AdmissionTest, WithoutLimitsEverybodyIsLetIn) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);

  EXPECT_EQ(admission_->remembered(), 1U);
}

TEST_F(AdmissionTest, ALimitThatComesLaterCountsThoseWhoAreIn) {
  for (int i = 0; i < 3; ++i) connect("10.0.0.1");

  admission_->set_limits({.clients_per_address = 3});

  EXPECT_EQ(connect("10.0.0.1"), Verdict::kTooMany);
  seats_.pop_back();
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, AnAddressHasSoManyConnectionsAndOthersHaveTheirs) {
  limit({.clients_per_address = 2});
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);

  EXPECT_EQ(connect("10.0.0.1"), Verdict::kTooMany);
  EXPECT_EQ(connect("10.0.0.2"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, WhoLeavesMakesRoomAndIsForgotten) {
  limit({.clients_per_address = 1});
  ASSERT_EQ(connect("10.0.0.1"), Verdict::kLetIn);

  seats_.clear();

  EXPECT_EQ(admission_->remembered(), 0U);
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, AHouseholdOfIpv6IsOneAddress) {
  limit({.clients_per_address = 1});
  ASSERT_EQ(connect("2001:db8:1:2::1"), Verdict::kLetIn);

  EXPECT_EQ(connect("2001:db8:1:2::2"), Verdict::kTooMany);
  EXPECT_EQ(connect("2001:db8:1:3::1"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, ASecondsWorthMayComeAtOnceAndTheRestInStep) {
  limit({.connection_rate = 10});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kTooFast);

  now_ += 100ms;

  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kTooFast);
}

TEST_F(AdmissionTest, LeavingDoesNotMakeAnAddressFaster) {
  limit({.connection_rate = 1});
  ASSERT_EQ(connect("10.0.0.1"), Verdict::kLetIn);

  seats_.clear();

  EXPECT_EQ(connect("10.0.0.1"), Verdict::kTooFast);
}

TEST_F(AdmissionTest, AllAddressesTogetherHaveARateOfTheirOwn) {
  limit({.total_rate = 2});
  EXPECT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  EXPECT_EQ(connect("10.0.0.2"), Verdict::kLetIn);

  EXPECT_EQ(connect("10.0.0.3"), Verdict::kAllTooFast);
  now_ += 500ms;
  EXPECT_EQ(connect("10.0.0.3"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, WhoIsTooFastTakesNobodyElsesTurn) {
  limit({.connection_rate = 1, .total_rate = 2});
  ASSERT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(connect("10.0.0.1"), Verdict::kTooFast);

  EXPECT_EQ(connect("10.0.0.2"), Verdict::kLetIn);
}

TEST_F(AdmissionTest, ClientsOfAUnixSocketAreNotCounted) {
  limit({.clients_per_address = 1, .connection_rate = 1, .total_rate = 1});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admission_->ask({}, now_).verdict, Verdict::kLetIn);
  }

  EXPECT_EQ(admission_->remembered(), 0U);
}

TEST_F(AdmissionTest, AStormFromEverywhereLeavesNoMemoryBehind) {
  limit({.connection_rate = 1});
  for (int i = 0; i < 100'000; ++i) {
    connect("10." + std::to_string(i >> 16) + "." + std::to_string((i >> 8) & 255) + "." +
            std::to_string(i & 255));
    seats_.clear();
    now_ += 1ms;
  }

  EXPECT_LE(admission_->remembered(), 4096U);
}

TEST_F(AdmissionTest, ASeatMayOutliveWhoeverAskedForIt) {
  limit({.clients_per_address = 1});
  ASSERT_EQ(connect("10.0.0.1"), Verdict::kLetIn);
  const std::weak_ptr<Admission> watched = admission_;

  admission_.reset();
  EXPECT_FALSE(watched.expired());
  seats_.clear();

  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace larder
