// max_fleet_loads: four `larder serve` over one Redis and one PostgreSQL, whose own word it is how
// many of their queries are under way.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postgres/postgres_server.hpp"
#include "redis/redis_server.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"

namespace larder::test {
namespace {

// A query that holds a lock while it runs, tells how many hold one with it, and takes its time.
constexpr const char* kCaches = R"toml(
[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = """
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:id::bigint)::text AS done),
     counted AS MATERIALIZED (
       SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND done IS NOT NULL)
         AS under_way FROM held),
     slept AS MATERIALIZED (SELECT pg_sleep(0.05) FROM counted)
SELECT :id::bigint AS id, under_way FROM counted, slept"""
)toml";

class FleetLoads : public PostgresTest {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
    PostgresTest::SetUp();
  }
  void TearDown() override {
    larders_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    PostgresTest::TearDown();
  }

  void start(std::size_t processes, const std::string& limit) {
    const std::string config = "[shared]\nurl = \"" + redis_->url() +
                               "\"\n[sources.shop]\nurl = \"" + url() +
                               "\"\nwait_timeout = \"60s\"\n" + limit + kCaches;
    while (processes-- > 0) {
      larders_.push_back(std::make_unique<RunningLarder>(directory_.string(), config));
    }
    for (const auto& larder : larders_) ASSERT_TRUE(larder->says("is there"));
  }

  // Has each process load ten keys, all at the same time; the most that were under way.
  std::int64_t most_under_way() {
    std::vector<TcpClient> clients;
    std::size_t id = 0;
    for (const auto& larder : larders_) {
      for (int key = 0; key < 10; ++key) {
        clients.emplace_back(larder->port());
        clients.back().send(request({"GET", "product:" + std::to_string(++id)}));
      }
    }
    std::int64_t most = 0;
    for (TcpClient& client : clients) {
      const std::string row = client.reply().text;
      most = std::max(most, boost::json::parse(row).at("under_way").as_int64());
    }
    return most;
  }

  std::optional<RedisServer> redis_;
  const std::filesystem::path directory_ = unprivileged_directory();
  std::vector<std::unique_ptr<RunningLarder>> larders_;
};

TEST_F(FleetLoads, FourProcessesTogetherNeverHaveMoreUnderWay) {
  start(4, "max_fleet_loads = 3");

  EXPECT_EQ(most_under_way(), 3);
}

// That the number above is the limit's doing.
TEST_F(FleetLoads, WithoutItEachProcesssOwnLimitHoldsAlone) {
  start(4, "max_loads = 2");

  EXPECT_GT(most_under_way(), 3);
}

}  // namespace
}  // namespace larder::test
