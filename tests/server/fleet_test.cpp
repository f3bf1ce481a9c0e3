// Several `larder serve` over one real Redis and one database.
#include <gmock/gmock.h>
#include <signal.h>

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

[caches.careful]
key            = "careful:{id:int}"
source         = "shop"
read           = "SELECT id, name FROM products WHERE id = :id"
strategy       = "write-through"
write          = "UPDATE products SET name = :name WHERE id = :id"
on_shared_down = "refuse"

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

class Fleet : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
    OtherProgram shop{file("shop.db")};
    shop.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    shop.execute(
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000) "
        "INSERT INTO products SELECT id, 'Product ' || id FROM ids");
  }

  void start(std::size_t processes, const std::string& shared = "memory_ttl = \"0s\"") {
    const std::string config =
        "[shared]\nurl = \"" + redis_->url() + "\"\n" + shared + "\n" + kCaches;
    while (processes-- > 0) {
      larders_.push_back(std::make_unique<RunningLarder>(directory_.path().string(), config));
    }
    // Until then each is alone.
    for (const auto& larder : larders_) ASSERT_TRUE(larder->says("is there"));
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

  std::optional<RedisServer> redis_;
  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<RunningLarder>> larders_;
};

// The promise of the whole: one query, though everything is cold and everybody asks.
TEST_F(Fleet, AThousandReadersInEightProcessesCostOneQuery) {
  start(8);

  auto asked = ask_all("slow:7", 125);

  for (auto& clients : asked) {
    for (TcpClient& client : clients) EXPECT_EQ(client.reply().text, product(7));
  }
  EXPECT_EQ(sum(kQueries), 1);
}

TEST_F(Fleet, AHolderThatIsKilledCostsASecondQueryAndNoMore) {
  start(4, "memory_ttl = \"0s\"\nlease = \"1s\"");
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

TEST_F(Fleet, AQueryThatFailsFailsOnceForAll) {
  start(4);

  auto asked = ask_all("broken:7", 10);

  for (auto& clients : asked) {
    for (TcpClient& client : clients) EXPECT_THAT(client.reply().text, HasSubstr("overflow"));
  }
  EXPECT_EQ(sum(kQueries), 1);
}

TEST_F(Fleet, WhatOneInvalidatesNobodyServes) {
  start(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  EXPECT_EQ(sum(kQueries), 1);
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(1, {"DEL", "product:7"});
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");

  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(i, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  }
  EXPECT_EQ(sum(kQueries), 2);
}

// Connections that Redis has wait: those on which processes hear, and those held back.
std::size_t blocked(RedisServer& redis) {
  std::size_t count = 0;
  const std::string list = redis.ask({"CLIENT", "LIST"}).text;
  for (std::size_t at = 0; (at = list.find(" flags=b", at)) != std::string::npos; ++at) ++count;
  return count;
}

// The client may rely on what it was answered, whatever becomes of the process that told it.
TEST_F(Fleet, WhoeverWasAnsweredThatACopyIsGoneFindsItGoneThoughTheProcessIsKilled) {
  start(2, "memory_ttl = \"0s\"\ntimeout = \"30s\"");
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, product(7));
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'new' WHERE id = 7");
  redis_->ask({"CLIENT", "PAUSE", "600000", "WRITE"});
  auto answered =
      std::async(std::launch::async, [&] { return ask(0, {"DEL", "product:7"}).integer; });
  while (blocked(*redis_) <= larders_.size()) std::this_thread::yield();
  EXPECT_EQ(answered.wait_for(std::chrono::seconds{0}), std::future_status::timeout);

  redis_->ask({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(answered.get(), 0) << "with a memory_ttl of zero it was in Redis alone";
  larders_[0]->signal(SIGKILL);

  EXPECT_THAT(ask(1, {"GET", "product:7"}).text, HasSubstr("new"));
}

TEST_F(Fleet, MemoryAnswersForMemoryTtl) {
  start(2, "memory_ttl = \"1h\"");
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, product(7));

  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, product(7));

  EXPECT_EQ(larders_[1]->metric("larder_cache_hits_total{cache=\"product\"}"), 1);
  EXPECT_EQ(larders_[1]->metric("larder_cache_shared_hits_total{cache=\"product\"}"), 1);
  EXPECT_EQ(larders_[1]->metric(kQueries), 0);
}

TEST_F(Fleet, AnInvalidationReachesTheMemoryOfTheOthers) {
  start(3, "memory_ttl = \"1h\"");
  for (std::size_t i = 0; i < 3; ++i) {
    while (larders_[i]->metric("larder_shared_gaps_total") == 0) std::this_thread::yield();
    EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  }
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  ask(0, {"DEL", "product:7"});

  for (std::size_t i = 1; i < 3; ++i) {
    while (larders_[i]->metric("larder_shared_heard_total") == 0) std::this_thread::yield();
    while (ask(i, {"GET", "product:7"}).text != R"({"id":7,"name":"Stool"})") {
      std::this_thread::yield();
    }
  }
}

TEST_F(Fleet, ARefreshReachesTheMemoryOfTheOthersWithoutAnotherQuery) {
  start(3, "memory_ttl = \"1h\"");
  for (std::size_t i = 0; i < 3; ++i) {
    while (larders_[i]->metric("larder_shared_gaps_total") == 0) std::this_thread::yield();
    EXPECT_EQ(ask(i, {"GET", "product:7"}).text, product(7));
  }
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  EXPECT_EQ(ask(0, {"LARDER", "REFRESH", "product:7"}).integer, 1);

  const std::string stool = R"({"id":7,"name":"Stool"})";
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, stool);
  for (std::size_t i = 1; i < 3; ++i) {
    while (ask(i, {"GET", "product:7"}).text != stool) std::this_thread::yield();
  }
  EXPECT_EQ(sum(kQueries), 2) << "the first read's, and the refresh's";
}

// The first has no copy itself.
TEST_F(Fleet, ATimeThatIsOverReachesTheMemoryOfTheOthersAndTheSharedTier) {
  start(3, "memory_ttl = \"1h\"");
  for (std::size_t i = 1; i < 3; ++i) {
    while (larders_[i]->metric("larder_shared_gaps_total") == 0) std::this_thread::yield();
    EXPECT_EQ(ask(i, {"GET", "stock:7"}).text, product(7));
  }
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  EXPECT_EQ(ask(0, {"EXPIRE", "stock:7", "0"}).integer, 0);

  const std::string stool = R"({"id":7,"name":"Stool"})";
  EXPECT_EQ(ask(0, {"GET", "stock:7"}).text, stool) << "the row stays";
  for (std::size_t i = 1; i < 3; ++i) {
    while (ask(i, {"GET", "stock:7"}).text != stool) std::this_thread::yield();
  }
}

// ---- A process that was stopped, or is cut off, does not serve the past. ----

class StoppedFleet : public Fleet {
 protected:
  // Longer than memory is believed without a word.
  static constexpr std::chrono::milliseconds kLonger{1300};

  // The second process's memory has a copy, for long.
  void start_and_read() {
    start(2, "memory_ttl = \"1h\"");
    while (ask(1, {"PTTL", "product:7"}).integer < 60'000) {  // before it hears: for a second
      ask(1, {"DEL", "product:7"});
      ASSERT_EQ(ask(1, {"GET", "product:7"}).text, product(7));
    }
  }
  void change() {
    OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");
    ask(0, {"DEL", "product:7"});
  }
  inline static const std::string kStool = R"({"id":7,"name":"Stool"})";
};

// The read is there before the process wakes, and Redis says nothing: neither the order of
// its threads nor word from the others can help it.
TEST_F(StoppedFleet, TheFirstReadAfterAPauseIsNotThePast) {
  start_and_read();
  TcpClient client{larders_[1]->port()};
  ASSERT_EQ(client.ask({"GET", "product:7"}).text, product(7));
  larders_[1]->pause();
  change();
  std::this_thread::sleep_for(kLonger);  // it is stopped, so that nothing of it tells of the time
  client.send(request({"GET", "product:7"}));
  redis_->pause();

  larders_[1]->resume();

  EXPECT_EQ(client.reply().text, kStool);
  redis_->resume();
}

TEST_F(StoppedFleet, WhoHearsNothingDoesNotServeThePastForLong) {
  start_and_read();
  redis_->pause();
  change();  // which Redis is not told yet

  const auto began = std::chrono::steady_clock::now();
  while (ask(1, {"GET", "product:7"}).text != kStool &&
         std::chrono::steady_clock::now() < began + std::chrono::minutes{1}) {
    std::this_thread::yield();
  }
  // Within a second, where the machine is quick. What it has would live for an hour, and Redis says
  // nothing: ten seconds are for a machine that is busy, and far from all else that could end it.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{10});
  redis_->resume();
}

TEST_F(Fleet, WhatIsWrittenThroughOneIsReadInTheOthers) {
  start(3, "memory_ttl = \"1h\"");
  const std::string stool = R"({"id":7,"name":"Stool"})";
  for (std::size_t i = 0; i < 3; ++i) {
    while (larders_[i]->metric("larder_shared_gaps_total") == 0) std::this_thread::yield();
    EXPECT_EQ(ask(i, {"GET", "stock:7"}).text, product(7));
  }
  const double queries = sum(kQueries);

  EXPECT_EQ(ask(0, {"SET", "stock:7", R"({"name":"Stool"})"}).text, "OK");

  EXPECT_EQ(ask(0, {"GET", "stock:7"}).text, stool);
  for (std::size_t i = 1; i < 3; ++i) {
    while (ask(i, {"GET", "stock:7"}).text != stool) std::this_thread::yield();
  }
  EXPECT_EQ(sum(kQueries), queries) << "what was written is what all read";
  EXPECT_EQ(larders_[0]->metric("larder_shared_marks_total{outcome=\"taken\"}"), 1);
  EXPECT_EQ(ask(1, {"DEL", "stock:7"}).integer, 1);
  while (!ask(0, {"GET", "stock:7"}).is_null()) std::this_thread::yield();
}

TEST_F(Fleet, WithoutRedisAWriteIsDoneOrRefusedAsTheCacheSays) {
  start(1);
  redis_->kill();
  ASSERT_TRUE(larders_[0]->says("reads go to the source"));

  EXPECT_EQ(ask(0, {"SET", "stock:7", R"({"name":"Stool"})"}).text, "OK");
  const Reply refused = ask(0, {"SET", "careful:8", R"({"name":"Stool"})"});

  EXPECT_EQ(larders_[0]->metric("larder_shared_marks_total{outcome=\"not_taken\"}"), 2);
  EXPECT_THAT(refused.text, HasSubstr("BUSY"));
  EXPECT_THAT(refused.text, HasSubstr("on_shared_down"));
  EXPECT_EQ(ask(0, {"GET", "stock:7"}).text, R"({"id":7,"name":"Stool"})");
  EXPECT_EQ(ask(0, {"GET", "careful:8"}).text, product(8));
}

TEST_F(Fleet, ManyKeysAreReadTogether) {
  start(2);
  std::vector<std::string> keys;
  std::string words = "*51\r\n$4\r\nMGET\r\n";
  for (int id = 1; id <= 50; ++id) {
    const std::string key = "product:" + std::to_string(id);
    words += "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
  }
  for (const auto& larder : larders_) {
    TcpClient client{larder->port()};
    client.send(words);
    const Reply rows = client.reply();
    ASSERT_EQ(rows.items.size(), 50U);
    for (int id = 1; id <= 50; ++id) {
      EXPECT_EQ(rows.items[static_cast<std::size_t>(id) - 1].text, product(id));
    }
  }

  EXPECT_EQ(larders_[1]->metric(kQueries), 0);
  EXPECT_EQ(larders_[1]->metric("larder_cache_shared_hits_total{cache=\"product\"}"), 50);
}

TEST_F(Fleet, FlushAllIsForAll) {
  start(2);
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  ask(0, {"FLUSHALL"});

  (void)ask(0, {"GET", "product:8"});  // on the same connection to the tier, behind it
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, product(7));

  EXPECT_EQ(larders_[1]->metric(kQueries), 1);
}

TEST_F(Fleet, RedisGoesAndComesBackAndEveryPageIsAnswered) {
  start(2);
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  redis_->kill();
  for (const auto& larder : larders_) EXPECT_TRUE(larder->says("reads go to the source"));

  EXPECT_EQ(ask(0, {"GET", "product:8"}).text, product(8));
  EXPECT_EQ(ask(1, {"GET", "product:8"}).text, product(8));
  EXPECT_EQ(larders_[0]->metric("larder_shared_up"), 0);

  redis_->start();
  for (const auto& larder : larders_) {
    while (larder->metric("larder_shared_up") == 0) std::this_thread::yield();
  }
  EXPECT_EQ(ask(0, {"GET", "product:9"}).text, product(9));
  const double before = larders_[1]->metric(kQueries);
  EXPECT_EQ(ask(1, {"GET", "product:9"}).text, product(9));
  EXPECT_EQ(larders_[1]->metric(kQueries), before);
}

TEST_F(Fleet, AHangingRedisDelaysTheFirstReadersAlone) {
  start(1, "memory_ttl = \"0s\"\ntimeout = \"100ms\"");
  redis_->pause();

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  EXPECT_TRUE(larders_[0]->says("reads go to the source"));
  EXPECT_EQ(ask(0, {"GET", "product:8"}).text, product(8));

  redis_->resume();
  while (larders_[0]->metric("larder_shared_up") == 0) std::this_thread::yield();
}

TEST_F(Fleet, AnInvalidationDuringAnOutageIsNotForgotten) {
  start(2);
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  redis_->pause();
  (void)ask(0, {"GET", "product:8"});  // notices
  ASSERT_TRUE(larders_[0]->says("reads go to the source"));
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");
  ask(0, {"DEL", "product:7"});
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");

  redis_->resume();
  while (larders_[0]->metric("larder_shared_up") == 0) std::this_thread::yield();

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  while (larders_[1]->metric("larder_shared_up") == 0) std::this_thread::yield();
  EXPECT_EQ(ask(1, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
}

TEST_F(Fleet, WhoStopsSaysWhichInvalidationsNobodyWasToldOf) {
  start(1);
  redis_->kill();
  (void)ask(0, {"GET", "product:8"});  // notices
  ASSERT_TRUE(larders_[0]->says("reads go to the source"));
  ask(0, {"DEL", "product:7"});

  larders_[0]->signal(SIGTERM);

  EXPECT_EQ(larders_[0]->wait(), 0);
  EXPECT_THAT(larders_[0]->log(), HasSubstr("1 invalidation could not be told to the shared tier"));
}

TEST_F(Fleet, WhatRedisRestoresFromItsFileIsNotServed) {
  start(1);
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, product(7));
  redis_->ask({"SAVE"});
  OtherProgram{file("shop.db")}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");
  ask(0, {"DEL", "product:7"});
  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
  redis_->kill();
  ASSERT_TRUE(larders_[0]->says("reads go to the source"));
  redis_->start();
  while (larders_[0]->metric("larder_shared_up") == 0) std::this_thread::yield();
  ASSERT_EQ(redis_->ask({"EXISTS", "larder:product:product:7"}).integer, 1);

  EXPECT_EQ(ask(0, {"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
}

}  // namespace
}  // namespace larder::test
