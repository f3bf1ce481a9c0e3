// Writes behind through a running larder to its SQLite source, with failures.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WriteBehindServer : public ::testing::Test {
 protected:
  WriteBehindServer() {
    shop_.execute(R"(CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                       price REAL CHECK (price > 0));
                     INSERT INTO products VALUES (1, 'Kettle', 24.5), (2, 'Pot', 9.5))");
  }

  void start(const std::string& cache = "", const std::string& journal = "",
             const std::string& server = "") {
    client_.reset();
    larder_.reset();
    larder_ = std::make_unique<RunningLarder>(
        directory_.file(""), kConfig + cache + "\n[journal]\npath = \"journal\"\n" + journal,
        server);
    client_ = std::make_unique<TcpClient>(larder_->port());
  }
  resp::Reply ask(std::initializer_list<std::string_view> words) {
    if (!larder_) start();
    return client_->ask(words);
  }
  // What LARDER EXPLAIN says, "name: text" a line.
  std::string explained(std::string_view key) {
    const resp::Reply reply = ask({"LARDER", "EXPLAIN", key});
    std::string text;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      text += reply.items[i].text + ": " + reply.items[i + 1].text + "\n";
    }
    return text;
  }
  void kill() {
    larder_->signal(SIGKILL);
    larder_->wait();
  }
  bool flushed() { return larder_->flushed("product"); }
  std::string name(const std::string& id) {
    return shop_.ask("SELECT name FROM products WHERE id = " + id);
  }

  static constexpr const char* kConfig = R"toml(
[sources.shop]
url          = "sqlite:shop.db"
load_timeout = "300ms"

[caches.product]
key      = "product:{id:int}"
source   = "shop"
read     = "SELECT id, name, price FROM products WHERE id = :id"
strategy = "write-behind"
write    = "UPDATE products SET name = :name, price = :price WHERE id = :id"
delete   = "DELETE FROM products WHERE id = :id"
)toml";
  static constexpr const char* kNew = R"({"name":"Samovar","price":30.5})";
  static constexpr const char* kShown = R"({"id":1,"name":"Samovar","price":30.5})";

  TemporaryDirectory directory_;
  OtherProgram shop_{directory_.file("shop.db")};
  std::unique_ptr<RunningLarder> larder_;
  std::unique_ptr<TcpClient> client_;
};

TEST_F(WriteBehindServer, ASetIsSeenAtOnceAndGoesToTheDatabase) {
  EXPECT_EQ(ask({"GET", "product:1"}).text, R"({"id":1,"name":"Kettle","price":24.5})");

  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");

  EXPECT_EQ(ask({"GET", "product:1"}).text, kShown);
  EXPECT_TRUE(flushed());
  EXPECT_EQ(name("1"), "Samovar");
  EXPECT_EQ(ask({"GET", "product:1"}).text, kShown);
}

TEST_F(WriteBehindServer, ADelRemovesTheRowAndIsSeenAtOnce) {
  EXPECT_EQ(ask({"DEL", "product:1"}).integer, 1);

  EXPECT_TRUE(ask({"GET", "product:1"}).is_null());
  EXPECT_TRUE(flushed());
  EXPECT_EQ(shop_.ask("SELECT count(*) FROM products"), "1");
}

TEST_F(WriteBehindServer, WhatCannotBeWrittenIsRefusedBeforeItIsAcknowledged) {
  EXPECT_THAT(ask({"SET", "product:1", R"({"name":"A"})"}).text,
              AllOf(StartsWith("ERR "), HasSubstr("has no field \"price\"")));
  EXPECT_THAT(ask({"SET", "product:1", "7"}).text, HasSubstr("must be a JSON object"));
  EXPECT_THAT(ask({"SET", "product:1", kNew, "NX"}).text, StartsWith("REFUSED "));
}

TEST_F(WriteBehindServer, ATimeToLiveIsRefusedSinceARowHasNone) {
  for (const resp::Reply& reply :
       {ask({"SET", "product:1", kNew, "EX", "60"}), ask({"SETEX", "product:1", "60", kNew}),
        ask({"PSETEX", "product:1", "60000", kNew})}) {
    EXPECT_THAT(reply.text, AllOf(StartsWith("REFUSED "), HasSubstr("by SET without EX")));
  }
  EXPECT_EQ(ask({"GET", "product:1"}).text, R"({"id":1,"name":"Kettle","price":24.5})");
}

TEST_F(WriteBehindServer, ExplainTellsWhatPendsAndWhetherItIsSentOnce) {
  start("flush_delay = \"1m\"\n");
  ask({"SET", "product:1", kNew});
  ask({"SET", "product:1", kNew});

  const std::string told = explained("product:1");
  EXPECT_THAT(told, HasSubstr("pending: 2 writes, the oldest acknowledged "));
  EXPECT_THAT(told, HasSubstr("after a crash: a write may be done twice"));
  EXPECT_THAT(explained("product:2"), Not(HasSubstr("pending")));
  EXPECT_TRUE(larder_->says("writes behind, at least once"));
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"product\"}"), 0);
}

TEST_F(WriteBehindServer, WithATableOfMarksItSaysThatItIsOnce) {
  shop_.execute(
      "CREATE TABLE larder_applied (journal TEXT, position BIGINT, "
      "PRIMARY KEY (journal, position))");
  start();

  EXPECT_TRUE(larder_->says("writes behind, exactly once"));
  EXPECT_THAT(explained("product:1"), HasSubstr("after a crash: a write is done once"));
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"product\"}"), 1);
}

TEST_F(WriteBehindServer, HealthIsDegradedWhileWritesAreRefused) {
  start("", "limit = \"1MiB\"\n");
  EXPECT_THAT(larder_->page("/health"), HasSubstr(R"("status":"ok")"));
  shop_.execute("BEGIN IMMEDIATE");  // so that nothing is flushed
  const std::string large = R"({"name":")" + std::string(100'000, 'x') + R"(","price":1})";
  while (!ask({"SET", "product:1", large}).is_error()) {
  }

  EXPECT_THAT(larder_->page("/health"),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("status":"degraded")"),
                    HasSubstr("journal full")));

  shop_.execute("COMMIT");
  EXPECT_TRUE(flushed());
  EXPECT_THAT(larder_->page("/health"), Not(HasSubstr("degraded")));
}

TEST_F(WriteBehindServer, AFileOfTwoNamesIsRefused) {
  std::filesystem::create_hard_link(directory_.file("shop.db"), directory_.file("other.db"));

  EXPECT_THAT([&] { start(); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("has 2 names (hard links)")));
}

TEST_F(WriteBehindServer, ARefusalBecomesADeadLetterAndReadsShowTheTruth) {
  EXPECT_EQ(ask({"SET", "product:1", R"({"name":"A","price":-1})"}).text, "OK");
  EXPECT_EQ(ask({"SET", "product:2", kNew}).text, "OK");

  EXPECT_TRUE(flushed());

  EXPECT_EQ(ask({"GET", "product:1"}).text, R"({"id":1,"name":"Kettle","price":24.5})");
  EXPECT_EQ(name("2"), "Samovar");
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"product\"}"), 1);
  EXPECT_TRUE(larder_->says("CHECK constraint failed"));
}

TEST_F(WriteBehindServer, AKillLosesNothingThatWasAcknowledged) {
  ask({"PING"});
  shop_.execute("BEGIN IMMEDIATE");  // the source can be read, and not written
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");
  EXPECT_EQ(ask({"DEL", "product:2"}).integer, 1);

  kill();
  start();

  EXPECT_EQ(ask({"GET", "product:1"}).text, kShown);
  EXPECT_TRUE(ask({"GET", "product:2"}).is_null());
  EXPECT_EQ(name("1"), "Kettle");
  shop_.execute("COMMIT");
  EXPECT_TRUE(flushed());
  EXPECT_EQ(name("1"), "Samovar");
  EXPECT_EQ(shop_.ask("SELECT count(*) FROM products"), "1");
}

TEST_F(WriteBehindServer, WhileTheSourceIsDownWritesGoOnUpToTheLimit) {
  start("", "limit = \"1MiB\"\n");
  const std::string large = R"({"name":")" + std::string(100'000, 'x') + R"(","price":1})";
  shop_.execute("BEGIN EXCLUSIVE");
  resp::Reply reply;
  int written = 0;
  while (!(reply = ask({"SET", "product:1", large})).is_error()) ++written;

  EXPECT_EQ(written, 10);
  EXPECT_THAT(reply.text, AllOf(StartsWith("BUSY "), HasSubstr("journal full")));
  shop_.execute("COMMIT");
  EXPECT_TRUE(flushed());
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");
  EXPECT_EQ(ask({"GET", "product:1"}).text, kShown);
}

TEST_F(WriteBehindServer, AShutdownFlushes) {
  start("flush_delay = \"1m\"\n");
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");

  larder_->signal(SIGTERM);

  EXPECT_EQ(larder_->wait(), 0);
  EXPECT_EQ(name("1"), "Samovar");
}

TEST_F(WriteBehindServer, AShutdownSaysWhatIsLeftAndTheNextStartFlushesIt) {
  start("", "", "shutdown_timeout = \"100ms\"\n");
  shop_.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");

  larder_->signal(SIGTERM);
  EXPECT_EQ(larder_->wait(), 0);
  EXPECT_THAT(larder_->log(), HasSubstr("1 acknowledged write left in the journal"));
  shop_.execute("COMMIT");
  start();

  EXPECT_TRUE(flushed());
  EXPECT_EQ(name("1"), "Samovar");
}

TEST_F(WriteBehindServer, AJournalHasOneProcess) {
  ask({"PING"});

  const auto second = [&] {
    const RunningLarder other{directory_.file(""),
                              std::string{kConfig} + "[journal]\npath = \"journal\"\n"};
  };

  EXPECT_THAT(second, ::testing::ThrowsMessage<std::runtime_error>(HasSubstr(
                          "process " + std::to_string(larder_->pid()) + " (larder) has")));
}

// It was write-behind once, and what was acknowledged then is neither hidden nor, when it is
// so again, written over what is newer.
TEST_F(WriteBehindServer, WhatAJournalKeepsForACacheOfAnotherKindIsToldAtTheStart) {
  ask({"PING"});
  shop_.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");
  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");
  kill();
  shop_.execute("COMMIT");
  std::string through = kConfig;
  through.replace(through.find("write-behind"), 12, "write-through");
  const auto other = [&] {
    return std::make_unique<RunningLarder>(directory_.file(""),
                                           through + "[journal]\npath = \"journal\"\n");
  };

  EXPECT_THAT([&] { (void)other(); }, ::testing::ThrowsMessage<std::runtime_error>(HasSubstr(
                                          "it keeps 2 acknowledged writes of the cache product")));

  start();
  EXPECT_TRUE(flushed());
  larder_->signal(SIGTERM);  // after a kill the journal may not know yet that they are
  larder_->wait();
  EXPECT_NO_THROW((void)other());
}

TEST_F(WriteBehindServer, OneFileHasOneProcessByWhateverLink) {
  ask({"PING"});
  std::filesystem::create_symlink("shop.db", directory_.file("link.db"));
  std::string linked = kConfig;
  linked.replace(linked.find("shop.db"), 7, "link.db");

  const auto other = [&] {
    const RunningLarder refused{directory_.file(""), linked + "[journal]\npath = \"other\"\n"};
  };

  EXPECT_THAT(other, ::testing::ThrowsMessage<std::runtime_error>(
                         HasSubstr("another process writes behind to the cache product")));
}

TEST_F(WriteBehindServer, CommandsThatItDoesNotTakeNeverAdviseToDeleteTheRow) {
  for (const char* command : {"INCR", "GETDEL"}) {
    EXPECT_THAT(ask({command, "product:1"}).text,
                AllOf(StartsWith("REFUSED "), HasSubstr("ource is written by SET of one key"),
                      Not(HasSubstr("SETEX"))));
  }
  ask({"MULTI"});
  EXPECT_THAT(ask({"GET", "product:1"}).text, HasSubstr("Read the key, or SET it, outside"));
}

TEST_F(WriteBehindServer, AnotherProcessWithAJournalOfItsOwnIsRefusedUntilThisOneEnds) {
  ask({"PING"});
  const auto other = [&] {
    return std::make_unique<RunningLarder>(directory_.file(""),
                                           std::string{kConfig} + "[journal]\npath = \"other\"\n");
  };

  EXPECT_THAT([&] { (void)other(); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr(
                  "another process writes behind to the cache product of the same database")));

  kill();
  EXPECT_NO_THROW((void)other());
}

}  // namespace
}  // namespace larder::test
