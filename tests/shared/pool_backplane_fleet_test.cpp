// A Memcached whose backplane is a cluster, or the master that sentinels know.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "redis/redis_cluster.hpp"
#include "redis/sentinel_group.hpp"
#include "shared/pool_process.hpp"

namespace larder::shared {
namespace {

using test::RedisCluster;
using test::SentinelGroup;

class PoolBackplaneFleet : public PoolTierTest {
 protected:
  // Until it may be told, and hears others.
  static PoolProcess& ready(PoolProcess& process) {
    while (process.copies().vouch()->longest() < 1h) std::this_thread::yield();
    wait_for_servers(process, 1);
    return process;
  }
  // Whatever goes that way is heard, once it is ready.
  void expect_heard(const std::string& backplane) const {
    const PoolOptions options{.backplane = redis::parse_redis_url(backplane).value()};
    PoolProcess one{url(), options};
    PoolProcess other{url(), options};
    const auto heard = ready(other).listen();
    ready(one);

    one.copies().invalidate("1");
    EXPECT_EQ(heard->word(1), "1");
    one.copies().invalidate("2");
    EXPECT_EQ(heard->word(2), "2");
    one.copies().clear();
    EXPECT_EQ(heard->word(3), "*");
  }
};

TEST_F(PoolBackplaneFleet, IsACluster) {
  if (!RedisCluster::installed()) GTEST_SKIP() << "redis-server or redis-cli is not installed";
  const RedisCluster cluster;
  expect_heard(cluster.url());
}

TEST_F(PoolBackplaneFleet, IsTheMasterThatSentinelsKnow) {
  if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  SentinelGroup group;
  const PoolOptions options{.backplane = redis::parse_redis_url(group.url()).value()};
  PoolProcess one{url(), options};
  PoolProcess other{url(), options};
  const auto heard = ready(other).listen();
  ready(one).copies().invalidate("1");
  EXPECT_EQ(heard->word(1), "1");

  group.first().kill();
  group.wait_for_master(group.second());
  one.copies().invalidate("2");

  // Heard from the new master, or missed and dropped with all the rest.
  ready(one);
  ready(other);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  const std::size_t before = heard->size();
  EXPECT_GT(before, 1U);
  one.copies().invalidate("3");
  while (heard->word(heard->size()) != "3") std::this_thread::yield();
}

}  // namespace
}  // namespace larder::shared
