// Processes over the master that real sentinels know.
#include <gmock/gmock.h>

#include "redis/sentinel_group.hpp"
#include "shared/process.hpp"
#include "shared/routed_tier.hpp"

namespace larder::shared {
namespace {

using test::SentinelGroup;

class SentinelTest : public testing::Test {
 protected:
  class One : public ProcessOver<RoutedTier> {
   public:
    using ProcessOver::ProcessOver;
    One& trusted() {
      while (!tier().trusted()) std::this_thread::yield();
      return *this;
    }
  };

  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    group_.emplace();
  }

  std::optional<SentinelGroup> group_;
};

TEST_F(SentinelTest, TheMasterIsFound) {
  One one{group_->url()};
  One other{group_->url()};
  one.trusted().load("1", "v");

  EXPECT_EQ(other.trusted().copy("1"), "v");
  EXPECT_EQ(group_->first().ask({"EXISTS", "larder:product:1"}).integer, 1);
}

TEST_F(SentinelTest, AfterAFailoverTheReplicaIsAskedAndOldCopiesAreMisses) {
  One one{group_->url()};
  One other{group_->url()};
  one.trusted().load("1", "old");
  EXPECT_EQ(other.trusted().copy("1"), "old");
  group_->first().wait_for_replica();
  const auto heard = other.listen();

  group_->first().kill();
  group_->wait_for_master(group_->second());

  one.copies().invalidate("2");
  while (!one.tier().trusted() || one.tier().stats().undelivered > 0) std::this_thread::yield();
  ASSERT_EQ(group_->second().ask({"EXISTS", "larder:product:1"}).integer, 1);
  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_EQ(heard->word(), "*") << "something may have been missed";
  EXPECT_EQ(other.trusted().copy("1"), std::nullopt);
}

TEST_F(SentinelTest, AnOldMasterThatComesBackIsNotAsked) {
  One one{group_->url()};
  one.trusted();
  group_->first().kill();
  group_->wait_for_master(group_->second());
  group_->first().start();

  one.trusted().load("1", "new");

  EXPECT_EQ(one.copy("1"), "new");
  EXPECT_EQ(group_->second().ask({"EXISTS", "larder:product:1"}).integer, 1);
}

TEST_F(SentinelTest, AMasterThatNobodyKnowsIsSaidOnce) {
  One one{group_->url("another")};
  while (one.said().empty()) std::this_thread::yield();

  EXPECT_THAT(one.said().front(), ::testing::HasSubstr("knows no master called \"another\""));
  EXPECT_EQ(one.read("1").kind, Kind::kLoad);
  EXPECT_EQ(one.said().size(), 1U);
}

}  // namespace
}  // namespace larder::shared
