// Several `larder serve` over a pool of real Memcached servers and one database.
#include <gmock/gmock.h>
#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "memcached/memcached_server.hpp"
#include "redis/redis_server.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {
namespace {

using resp::Reply;
using ::testing::HasSubstr;

constexpr const char* kQueries = "larder_source_queries_total{source=\"shop\"}";

// A query that takes a good while: some tenths of a second on an idle core.
constexpr const char* kCaches = R"toml(
[sources.shop]
url = "sqlite:shop.db"
load_timeout = "60s"
wait_timeout = "60s"

[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = "SELECT id, name FROM products WHERE id = :id"

[caches.stock]
key      = "stock:{id:int}"
source   = "shop"
read     = "SELECT id, name FROM products WHERE id = :id"
strategy = "write-through"
write    = "UPDATE products SET name = :name WHERE id = :id"
delete   = "DELETE FROM products WHERE id = :id"

[caches.slow]
key    = "slow:{id:int}"
source = "shop"
read   = """
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 3000000)
SELECT id, name FROM products WHERE id = :id AND (SELECT max(n) FROM count) > 0"""

[caches.broken]
key    = "broken:{id:int}"
source = "shop"
read   = """
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 3000000)
SELECT abs(-9223372036854775807 - (SELECT min(n) FROM count) - 0 * max(n, :id)) AS overflow
FROM count"""
)toml";

class MemcachedFleet : public testing::Test {
 protected:
  void SetUp() override {
    if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
    for (int i = 0; i < 2; ++i) pool_.push_back(std::make_unique<MemcachedServer>());
    OtherProgram shop{file("shop.db")};
    shop.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    shop.execute(
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000) "
        "INSERT INTO products SELECT id, 'Product ' || id FROM ids");
  }

  void start(std::size_t processes, const std::string& shared = "memory_ttl = \"0s\"") {
    const std::string config = "[shared]\nurl = \"memcached://" + pool_[0]->place() + "," +
                               pool_[1]->place() + "\"\n" + shared + "\n" + kCaches;
    while (processes-- > 0) {
      larders_.push_back(std::make_unique<RunningLarder>(directory_.path().string(), config));
    }
    // Until then each is alone.
    for (std::size_t i = 0; i < larders_.size(); ++i) wait_until_up(i);
  }
  void wait_until_up(std::size_t process) {
    while (larders_[process]->metric("larder_shared_up") == 0) std::this_thread::yield();
  }

  // GET of a key on so many connections to each process, sent before any is answered.
  std::vector<std::vector<TcpClient>> ask_all(const std::string& key, std::size_t connections) {
    std::vector<std::vector<TcpClient>> asked(larders_.size());
    for (std::size_t i = 0; i < larders_.size(); ++i) {
      for (std::size_t n = 0; n < connections; ++n) asked[i].emplace_back(larders_[i]->port());
    }
    const std::string words = request({"GET", key});
    for (auto& clients : asked) {
      for (TcpClient& client : clients) client.send(words);
    }
    return asked;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() / name; }
  [[nodiscard]] double sum(const std::string& metric) const {
    double all = 0;
    for (const auto& larder : larders_) all += larder->metric(metric);
    return all;
  }
  Reply ask(std::size_t process, std::initializer_list<std::string_view> words) {
    return TcpClient{larders_[process]->port()}.ask(words);
  }
  static std::string product(int id) {
    return R"({"id":)" + std::to_string(id) + R"(,"name":"Product )" + std::to_string(id) + "\"}";
  }

  std::vector<std::unique_ptr<MemcachedServer>> pool_;
  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<RunningLarder>> larders_;
};

// The promise of the whole: one query, though everything is cold and everybody asks.
TEST_F(MemcachedFleet, AThousandReadersInEightProcessesCostOneQuery) {
  start(8);

  auto asked = ask_all("slow:7", 125);

  for (auto& clients : asked) {
    for (TcpClient& client : clients) EXPECT_EQ(client.reply().text, product(7));
  }
  EXPECT_EQ(sum(kQueries), 1);
}

TEST_F(MemcachedFleet, AHolderThatIsKilledCostsASecondQueryAndNoMore) {
  start(4, "memory_ttl = \"0s\"\nlease = \"2s\"");
  auto asked = ask_all("slow:7", 10);
  std::size_t holder = larders_.size();
  while (holder == larders_.size()) {
    for (std::size_t i = 0; i < larders_.size(); ++i) {
      if (larders_[i]->metric("larder_shared_reads_total{outcome=\"lease\"}") == 1) holder = i;
    }
  }

  larders_[holder]->signal(SIGKILL);
  larders_[holder]->wait();
  larders_.erase(larders_.begin() + static_cast<std::ptrdiff_t>(holder));
  asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(holder));

  for (auto& clients : asked) {
    for (TcpClient& client : clients) EXPECT_EQ(client.reply().text, product(7));
  }
  EXPECT_EQ(sum(kQueries), 1) << "beside the one of the process that was killed";
}

TEST_F(MemcachedFleet, AQueryThatFailsFailsOnceForAll) {
  start(4);

  auto asked = ask_all("broken:7", 10);

  for (auto& clients : asked) {
    for (TcpClient& client : clients) EXPECT_THAT(client.reply().text, HasSubstr("overflow"));
  }
  EXPECT_EQ(sum(kQueries), 1);
}

TEST_F(MemcachedFleet, WhatOneInvalidatesNobodyServes) {
  start(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  EXPECT_EQ(sum(kQueries), 1);
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(1, {"DEL", "product:7"});

  for (const std::size_t i : {1UL, 0UL, 2UL}) {
    EXPECT_EQ(ask(i, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  }
  EXPECT_EQ(sum(kQueries), 2);
}

TEST_F(MemcachedFleet, MemoryForgetsByItsTtlAlone) {
  start(2, "memory_ttl = \"100ms\"");
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(0, {"DEL", "product:7"});

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  while (ask(1, {"GET", "product:7"}).text != R"({"id":7,"name":"Stool"})") {
    std::this_thread::yield();
  }
  EXPECT_EQ(larders_[1]->metric("larder_shared_heard_total"), 0);
}

TEST_F(MemcachedFleet, WhatIsWrittenThroughOneIsReadInTheOthers) {
  start(3);
  const std::string stool = R"({"id":7,"name":"Stool"})";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "stock:7"}).text, product(7));

  EXPECT_EQ(ask(0, {"SET", "stock:7", R"({"name":"Stool"})"}).text, "OK");

  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "stock:7"}).text, stool);
  EXPECT_EQ(larders_[0]->metric("larder_shared_marks_total{outcome=\"taken\"}"), 1);
  EXPECT_EQ(ask(1, {"DEL", "stock:7"}).integer, 1);
  EXPECT_TRUE(ask(0, {"GET", "stock:7"}).is_null());
}

TEST_F(MemcachedFleet, FlushAllIsForAll) {
  start(2);
  for (int id = 1; id <= 10; ++id) {
    EXPECT_EQ(ask(0, {"GET", "product:" + std::to_string(id)}).text, product(id));
  }
  const double before = sum(kQueries);
  ask(0, {"FLUSHALL"});

  for (int id = 1; id <= 10; ++id) {  // behind it on the connections to both servers
    EXPECT_EQ(ask(0, {"GET", "product:" + std::to_string(id)}).text, product(id));
  }

  EXPECT_EQ(sum(kQueries), before + 10);
}

TEST_F(MemcachedFleet, AServerGoesAndComesBackAndEveryPageIsAnswered) {
  start(2);
  pool_[0]->kill();
  for (const auto& larder : larders_) EXPECT_TRUE(larder->says("go to the source"));

  for (int id = 1; id <= 20; ++id) {
    const std::string key = "product:" + std::to_string(id);
    EXPECT_EQ(ask(0, {"GET", key}).text, product(id));
    EXPECT_EQ(ask(1, {"GET", key}).text, product(id));
  }
  const double shared = larders_[1]->metric("larder_cache_shared_hits_total{cache=\"product\"}");
  EXPECT_GT(shared, 0) << "the other server's keys are shared still";
  EXPECT_LT(shared, 20) << "the dead one's are nobody's";
  EXPECT_EQ(larders_[0]->metric("larder_shared_up"), 0);

  pool_[0]->start();
  for (std::size_t i = 0; i < 2; ++i) wait_until_up(i);
  const double before = sum(kQueries);
  for (int id = 21; id <= 40; ++id) {
    const std::string key = "product:" + std::to_string(id);
    EXPECT_EQ(ask(0, {"GET", key}).text, product(id));
    EXPECT_EQ(ask(1, {"GET", key}).text, product(id));
  }
  EXPECT_EQ(sum(kQueries), before + 20);
}

TEST_F(MemcachedFleet, AnInvalidationDuringAnOutageIsNotForgotten) {
  start(2);
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  for (const auto& each : pool_) each->pause();
  (void)ask(0, {"GET", "product:7"});  // notices
  ASSERT_TRUE(larders_[0]->says("go to the source"));
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");
  ask(0, {"DEL", "product:7"});
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");

  for (const auto& each : pool_) each->resume();
  for (std::size_t i = 0; i < 2; ++i) wait_until_up(i);

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
}

// ---- With a Redis beside it. ----

class MemcachedFleetWithBackplane : public MemcachedFleet {
 protected:
  void SetUp() override {
    MemcachedFleet::SetUp();
    if (IsSkipped()) return;
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
  }
  void start_with_backplane(std::size_t processes) {
    start(processes, "memory_ttl = \"1h\"\nbackplane = \"" + redis_->url() + "\"");
    for (const auto& larder : larders_) ASSERT_TRUE(larder->says("the backplane: "));
    for (std::size_t i = 0; i < processes; ++i) keep(i, "product:1");
  }
  // Memory has it for long, which it does while it hears the others.
  void keep(std::size_t process, const std::string& key) {
    while (ask(process, {"PTTL", key}).integer < 60'000) {
      (void)ask(process, {"DEL", key});
      (void)ask(process, {"GET", key});
    }
  }
  void wait_to_read(std::size_t process, const std::string& key, const std::string& row) {
    while (ask(process, {"GET", key}).text != row) std::this_thread::yield();
  }

  std::optional<RedisServer> redis_;
  inline static const std::string kStool = R"({"id":7,"name":"Stool"})";
};

TEST_F(MemcachedFleetWithBackplane, WhatOneInvalidatesTheMemoryOfTheOthersDrops) {
  start_with_backplane(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  const double shared = sum("larder_cache_shared_hits_total{cache=\"product\"}");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  EXPECT_EQ(sum("larder_cache_shared_hits_total{cache=\"product\"}"), shared) << "memory answers";
  const double heard = larders_[1]->metric("larder_shared_heard_total");
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(0, {"DEL", "product:7"});

  wait_to_read(1, "product:7", kStool);
  wait_to_read(2, "product:7", kStool);
  EXPECT_EQ(larders_[1]->metric("larder_shared_heard_total"), heard + 1);
}

TEST_F(MemcachedFleetWithBackplane, WhatOneWritesTheMemoryOfTheOthersDrops) {
  start_with_backplane(2);
  EXPECT_EQ(ask(1, {"GET", "stock:7"}).text, product(7));

  EXPECT_EQ(ask(0, {"SET", "stock:7", R"({"name":"Stool"})"}).text, "OK");

  wait_to_read(1, "stock:7", kStool);
}

TEST_F(MemcachedFleetWithBackplane, WithoutRedisMemoryForgetsAndEveryPageIsAnswered) {
  start_with_backplane(2);
  keep(1, "product:7");
  redis_->kill();
  for (const auto& larder : larders_) {
    EXPECT_TRUE(larder->says("memory is believed for 1000 ms only until it is there again"));
  }
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(0, {"DEL", "product:7"});

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, kStool);
  wait_to_read(1, "product:7", kStool);
  EXPECT_EQ(larders_[0]->metric("larder_shared_up"), 1) << "Memcached is there";
  while (larders_[0]->metric("larder_shared_undelivered") != 1) std::this_thread::yield();

  redis_->start();
  for (std::size_t i = 0; i < 2; ++i) keep(i, "product:7");
  EXPECT_EQ(larders_[0]->metric("larder_shared_undelivered"), 0);
}

}  // namespace
}  // namespace larder::test
