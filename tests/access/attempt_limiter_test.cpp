#include "access/attempt_limiter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace larder {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

class AttemptLimiterTest : public testing::Test {
 protected:
  Duration wait(const char* address = "192.0.2.1") const {
    return limiter_.wait(make_address(address), now_);
  }
  void fail(int times, const char* address = "192.0.2.1") {
    for (; times > 0; --times) limiter_.begin(make_address(address), now_);
  }
  void succeed(const char* address = "192.0.2.1") {
    limiter_.begin(make_address(address), now_);
    limiter_.forgive(make_address(address));
  }

  AttemptLimiter limiter_{
      {.free = 3, .first_wait = 1s, .longest_wait = 5s, .forgive = 60s, .addresses = 4}};
  TimePoint now_{1h};
};

TEST_F(AttemptLimiterTest, SomeFailuresAreFree) {
  fail(3);

  EXPECT_EQ(wait(), 0s);
}

TEST_F(AttemptLimiterTest, FurtherOnesWaitTwiceAsLongEachTimeUpToTheLongest) {
  fail(4);
  EXPECT_EQ(wait(), 1s);

  now_ += 1s;
  fail(1);
  EXPECT_EQ(wait(), 2s);

  now_ += 2s;
  fail(1);
  EXPECT_EQ(wait(), 4s);

  now_ += 4s;
  fail(1);
  EXPECT_EQ(wait(), 5s);
}

TEST_F(AttemptLimiterTest, TheWaitPasses) {
  fail(4);

  now_ += 999ms;
  EXPECT_EQ(wait(), 1ms);

  now_ += 1ms;
  EXPECT_EQ(wait(), 0s);
}

TEST_F(AttemptLimiterTest, ManyAttemptsAtOnceCountBeforeTheyAreKnownToFail) {
  fail(4);

  EXPECT_GT(wait(), 0s);
}

TEST_F(AttemptLimiterTest, RightAttemptsDoNotCount) {
  for (int i = 0; i < 100; ++i) succeed();

  EXPECT_EQ(wait(), 0s);
}

TEST_F(AttemptLimiterTest, ARightAttemptForgivesOnlyItself) {
  fail(3);
  succeed();
  EXPECT_EQ(wait(), 0s);

  fail(1);

  EXPECT_EQ(wait(), 1s);
}

TEST_F(AttemptLimiterTest, ARestForgivesAll) {
  fail(4);

  now_ += 60s;
  fail(3);

  EXPECT_EQ(wait(), 0s);
}

TEST_F(AttemptLimiterTest, OtherAddressesAreFree) {
  fail(4);

  EXPECT_EQ(wait("192.0.2.2"), 0s);
}

TEST_F(AttemptLimiterTest, OneHouseholdsAddressesAreOne) {
  fail(4, "2001:db8:1:2::3");

  EXPECT_GT(wait("2001:db8:1:2:ffff::4"), 0s);
  EXPECT_EQ(wait("2001:db8:1:3::3"), 0s);
}

TEST_F(AttemptLimiterTest, AMappedAddressIsTheOneItStandsFor) {
  fail(4, "192.0.2.9");

  EXPECT_GT(wait("::ffff:192.0.2.9"), 0s);
}

TEST_F(AttemptLimiterTest, ForgetsTheLongestAgoWhenThereAreTooMany) {
  fail(4, "192.0.2.1");
  for (int i = 2; i < 50; ++i) fail(1, ("192.0.2." + std::to_string(i)).c_str());

  EXPECT_EQ(limiter_.size(), 4U);
  EXPECT_EQ(wait("192.0.2.1"), 0s);
}

}  // namespace
}  // namespace larder
