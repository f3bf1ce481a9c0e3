// Several `larder serve` over one Redis and one PostgreSQL, whose own word it is how many of their
// queries are under way (max_fleet_loads), and which runs for as long as a test likes.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "postgres/postgres_server.hpp"
#include "redis/redis_server.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;

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

[caches.held]
key    = "held:{id:int}"
source = "shop"
read   = """
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:id::bigint)::text AS done)
SELECT :id::bigint AS id FROM held"""
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

  void start(std::size_t processes, const std::string& limit, const std::string& shared = "") {
    const std::string config = "[shared]\nurl = \"" + redis_->url() + "\"\n" + shared +
                               "\n[sources.shop]\nurl = \"" + url() +
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

  [[nodiscard]] double sum(const std::string& metric) const {
    double all = 0;
    for (const auto& larder : larders_) all += larder->metric(metric);
    return all;
  }
  // How often a lease was extended.
  unsigned long extensions() {
    constexpr std::string_view kCalls = "cmdstat_pexpire:calls=";
    const std::string stats = redis_->ask({"INFO", "commandstats"}).text;
    const std::size_t at = stats.find(kCalls);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + kCalls.size()));
  }
  // Whether there were so many within a minute.
  bool extended(unsigned long times) {
    const auto deadline = std::chrono::steady_clock::now() + 1min;
    while (extensions() < times) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(20ms);  // it is asked over the network
    }
    return true;
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

// Its holder extends the lease until the query ends, and all who came meanwhile wait for it.
TEST_F(FleetLoads, AQueryLongerThanItsLeaseIsTheOnlyOneOfAThousandReaders) {
  start(8, "", "lease = \"2s\"");
  execute("SELECT pg_advisory_lock(7)");
  std::vector<TcpClient> clients;
  for (const auto& larder : larders_) {
    for (int i = 0; i < 125; ++i) clients.emplace_back(larder->port());
  }
  for (TcpClient& client : clients) client.send(request({"GET", "held:7"}));

  const bool extended_often = extended(4);  // three are a lease
  execute("SELECT pg_advisory_unlock(7)");
  ASSERT_TRUE(extended_often);

  for (TcpClient& client : clients) EXPECT_EQ(client.reply().text, R"({"id":7})");
  EXPECT_EQ(sum("larder_source_queries_total{source=\"shop\"}"), 1);
}

}  // namespace
}  // namespace larder::test
