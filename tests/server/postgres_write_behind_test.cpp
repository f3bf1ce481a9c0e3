// Writes behind to a real PostgreSQL, with larder, PostgreSQL and both killed.
#include <gmock/gmock.h>
#include <signal.h>

#include <array>
#include <fstream>
#include <thread>

#include "behind/journal_desk.hpp"
#include "postgres/postgres_server.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"

namespace larder::test {
namespace {

class WriteBehindPostgres : public PostgresTest {
 protected:
  void start() {
    door_.reset();
    larder_.reset();
    larder_ = std::make_unique<RunningLarder>(directory_.string(),
                                              "[sources.shop]\nurl = \"" + url() + "\"\n" + kCache,
                                              "", std::uint16_t{0});
    door_ = std::make_unique<TcpClient>(larder_->port());
  }
  void TearDown() override {
    door_.reset();
    larder_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    PostgresTest::TearDown();
  }
  resp::Reply ask(std::initializer_list<std::string_view> words) { return door_->ask(words); }
  bool flushed() { return larder_->flushed("counter"); }

  static constexpr const char* kCache = R"toml(
[journal]
path = "journal"

[caches.counter]
key      = "counter:{id:int}"
source   = "shop"
read     = "SELECT id, n FROM counters WHERE id = :id"
strategy = "write-behind"
write    = """INSERT INTO counters (id, n) VALUES (:id, :n)
              ON CONFLICT (id) DO UPDATE SET n = excluded.n"""
delete   = "DELETE FROM counters WHERE id = :id"
)toml";
  static constexpr const char* kTable =
      "CREATE TABLE counters (id bigint PRIMARY KEY, n bigint NOT NULL CHECK (n >= 0))";

  const std::filesystem::path directory_ = unprivileged_directory();
  std::unique_ptr<RunningLarder> larder_;
  std::unique_ptr<TcpClient> door_;
};

TEST_F(WriteBehindPostgres, ManyWritesTakeFewTransactionsAndOneRefusalTakesNoOther) {
  execute(kTable);
  start();
  for (int i = 1; i <= 500; ++i) {
    const std::string n = i == 250 ? "-1" : std::to_string(i);
    ASSERT_EQ(ask({"SET", "counter:" + std::to_string(i), "{\"n\":" + n + "}"}).text, "OK");
  }

  EXPECT_TRUE(flushed());

  EXPECT_EQ(ask({"GET", "counter:499"}).text, R"({"id":499,"n":499})");
  EXPECT_TRUE(ask({"GET", "counter:250"}).is_null());
  EXPECT_EQ(larder_->metric("larder_write_behind_flushed_total{cache=\"counter\"}"), 499);
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"counter\"}"), 1);
  EXPECT_LT(larder_->metric("larder_write_behind_batches_total{cache=\"counter\"}"), 250);
}

TEST_F(WriteBehindPostgres, WhilePostgresIsDownWritesAreTakenAndWhatIsKnownIsRead) {
  execute(kTable);
  start();
  server()->stop(SIGQUIT);

  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  EXPECT_EQ(ask({"DEL", "counter:2"}).integer, 1);
  EXPECT_EQ(ask({"SET", "counter:2", R"({"n":2})"}).text, "OK");
  EXPECT_EQ(ask({"GET", "counter:2"}).text, R"({"n":2})");
  EXPECT_TRUE(ask({"GET", "counter:1"}).is_error());
  server()->run();

  EXPECT_TRUE(flushed());
  EXPECT_EQ(ask({"GET", "counter:1"}).text, R"({"id":1,"n":1})");
  EXPECT_EQ(ask({"GET", "counter:2"}).text, R"({"id":2,"n":2})");
}

TEST_F(WriteBehindPostgres, StartedWhilePostgresIsDownItTakesWritesAndFlushesThemLater) {
  execute(kTable);
  execute(
      "CREATE TABLE larder_applied (journal TEXT, position BIGINT, "
      "PRIMARY KEY (journal, position))");
  server()->stop(SIGQUIT);
  start();
  EXPECT_TRUE(larder_->says("larder starts without it"));
  EXPECT_THAT(larder_->page("/health"), ::testing::HasSubstr(R"("shop":{"status":"failing")"));

  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  EXPECT_THAT(ask({"GET", "counter:1"}).text, ::testing::HasSubstr("cannot connect"));
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"counter\"}"), 0);
  server()->run();

  EXPECT_TRUE(flushed());
  EXPECT_TRUE(larder_->says("source shop is reached, and takes its statements"));
  EXPECT_TRUE(larder_->says("cache counter writes behind, exactly once"));
  EXPECT_THAT(larder_->page("/health"), ::testing::HasSubstr(R"("shop":{"status":"ok")"));
  EXPECT_EQ(ask({"GET", "counter:1"}).text, R"({"id":1,"n":1})");
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"counter\"}"), 1);
  client_.reset();  // its session ended with the server
  EXPECT_EQ(execute("SELECT count(*) FROM larder_applied"), "1");
}

// A failover takes a while, and meanwhile there is none that may be written.
TEST_F(WriteBehindPostgres, StartedWhileThereIsNoPrimaryItWaitsForOne) {
  execute(kTable);
  execute("ALTER DATABASE " + name_ + " SET default_transaction_read_only = on");
  client_.reset();
  door_.reset();
  larder_.reset();
  larder_ = std::make_unique<RunningLarder>(
      directory_.string(),
      "[sources.shop]\nurl = \"" + url() + "&target_session_attrs=read-write\"\n" + kCache);
  door_ = std::make_unique<TcpClient>(larder_->port());
  EXPECT_TRUE(larder_->says("larder starts without it"));
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");

  PostgresClient{server()->url("postgres")}.execute("ALTER DATABASE " + name_ +
                                                    " RESET default_transaction_read_only");

  EXPECT_TRUE(flushed());
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "1");
}

// As after a restart of everything, when all that use a server come at once.
TEST_F(WriteBehindPostgres, StartedWhilePostgresIsFullItWaitsForRoom) {
  execute(kTable);
  execute("CREATE ROLE one_of_many LOGIN CONNECTION LIMIT 0");
  execute("GRANT ALL ON counters TO one_of_many");
  larder_ = std::make_unique<RunningLarder>(
      directory_.string(), "[sources.shop]\nurl = \"" + url("user=one_of_many") + "\"\n" + kCache);
  door_ = std::make_unique<TcpClient>(larder_->port());
  EXPECT_TRUE(larder_->says("larder starts without it"));
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");

  execute("ALTER ROLE one_of_many CONNECTION LIMIT -1");

  EXPECT_TRUE(flushed());
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "1");
}

TEST_F(WriteBehindPostgres, AnOptionThatLibpqRefusesIsAMistakeWithItsPlace) {
  const auto start_so = [&] {
    const RunningLarder refused(
        directory_.string(), "[sources.shop]\nurl = \"" + url() + "&sslmode=requird\"\n" + kCache);
  };

  EXPECT_THAT(start_so, ::testing::ThrowsMessage<std::runtime_error>(
                            ::testing::AllOf(::testing::HasSubstr("larder.toml:"),
                                             ::testing::HasSubstr("invalid sslmode value"))));
}

TEST_F(WriteBehindPostgres, ATableOfMarksThatIsDroppedMeanwhileIsToldAndTakesNoWriteWithIt) {
  execute(kTable);
  execute(
      "CREATE TABLE larder_applied (journal text, position bigint, PRIMARY KEY (journal, "
      "position))");
  start();
  EXPECT_TRUE(larder_->says("cache counter writes behind, exactly once"));
  execute("DROP TABLE larder_applied");

  for (int i = 1; i <= 20; ++i) {
    ASSERT_EQ(ask({"SET", "counter:" + std::to_string(i), R"({"n":7})"}).text, "OK");
  }

  EXPECT_TRUE(flushed());
  EXPECT_TRUE(larder_->says("cache counter writes behind, at least once"));
  EXPECT_EQ(execute("SELECT sum(n) FROM counters"), "140");
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"counter\"}"), 0);
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"counter\"}"), 0);
}

// A reload changes all or nothing, so it does not take what it cannot ask about.
TEST_F(WriteBehindPostgres, AReloadThatAddsAPostgresThatIsDownIsRefusedAndAllGoesOn) {
  execute(kTable);
  start();
  std::ofstream{directory_ / "larder.toml", std::ios::app}
      << "[sources.other]\nurl = \"postgresql:///x?host=" << directory_.string() << "\"\n"
      << "[caches.other]\nkey = \"other:{id}\"\nsource = \"other\"\nstrategy = \"read-through\"\n"
      << "read = \"SELECT 1 AS n WHERE :id = '1'\"\nttl = \"1m\"\n";

  const std::string said = ask({"LARDER", "RELOAD"}).text;

  EXPECT_THAT(said,
              ::testing::AllOf(::testing::HasSubstr("nothing was changed"),
                               ::testing::HasSubstr("sources.other"),
                               ::testing::HasSubstr("a source is taken when it can be reached")));
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  EXPECT_TRUE(flushed());
}

TEST_F(WriteBehindPostgres, AStatementThatALateDatabaseRefusesIsToldAndTriedAgain) {
  server()->stop(SIGQUIT);
  start();
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  server()->run();

  EXPECT_TRUE(larder_->says("refuses a statement"));
  EXPECT_THAT(ask({"GET", "counter:1"}).text, ::testing::HasSubstr("counters"));
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"counter\"}"), 0);
  client_.reset();
  execute(kTable);

  EXPECT_TRUE(flushed());
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "1");
}

// As a source is that was there from the start, and of whose statements one fails.
TEST_F(WriteBehindPostgres, ALateDatabaseIsWellWhenItIsReachedAndTheStatementThatItRefusesIsShown) {
  server()->stop(SIGQUIT);
  start();
  EXPECT_THAT(larder_->page("/health"), ::testing::HasSubstr(R"("shop":{"status":"failing")"));
  server()->run();

  EXPECT_TRUE(larder_->says("refuses a statement"));
  EXPECT_THAT(larder_->page("/health"),
              ::testing::AllOf(::testing::HasSubstr(R"({"status":"degraded")"),
                               ::testing::HasSubstr(R"("shop":{"status":"ok")"),
                               ::testing::HasSubstr("source shop refuses 2 statements")));

  client_.reset();
  execute(kTable);
  EXPECT_TRUE(larder_->says("source shop is reached, and takes its statements"));
  EXPECT_THAT(larder_->page("/health"),
              ::testing::AllOf(::testing::HasSubstr(R"({"status":"ok")"),
                               ::testing::Not(::testing::HasSubstr("refuses"))));
}

TEST_F(WriteBehindPostgres, ADatabaseThatAnswersAndRefusesLarderIsAMistakeAtTheStart) {
  const std::string sources = "[sources.shop]\nurl = \"" + server()->url("no_such") + "\"\n";
  const auto start_there = [&] {
    const RunningLarder refused(directory_.string(), sources + kCache);
  };

  EXPECT_THAT(start_there,
              ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr("no_such")));
}

TEST_F(WriteBehindPostgres, AnotherProcessWithAJournalOfItsOwnIsRefusedUntilThisOneEnds) {
  execute(kTable);
  start();
  const std::filesystem::path elsewhere = unprivileged_directory();
  const auto other = [&] {
    return std::make_unique<RunningLarder>(elsewhere.string(),
                                           "[sources.shop]\nurl = \"" + url() + "\"\n" + kCache);
  };
  const auto refused = ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr(
      "another process writes behind to the cache counter of the same database"));

  EXPECT_THAT([&] { (void)other(); }, refused);

  // The lock is lost with its session, and taken again.
  execute(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
      "(SELECT oid FROM pg_database WHERE datname = current_database())");
  EXPECT_TRUE(larder_->says("is not flushed until this process has its lock"));
  EXPECT_TRUE(larder_->says("cache counter is flushed again"));
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  EXPECT_TRUE(flushed());
  EXPECT_THAT([&] { (void)other(); }, refused);

  larder_->signal(SIGKILL);
  larder_->wait();
  EXPECT_NO_THROW((void)other());
  std::filesystem::remove_all(elsewhere);
}

TEST_F(WriteBehindPostgres, ATableThatTakesNoMarksIsToldAtTheStart) {
  execute(kTable);
  execute("CREATE TABLE larder_applied (n integer)");

  EXPECT_THAT([this] { start(); },
              ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr(
                  "the table larder_applied is there, but takes no marks of writes")));
}

// A crash between the commit of PostgreSQL and the journal's settlement, by a copy of the journal
// from before.
TEST_F(WriteBehindPostgres, WithItsMarksAWriteThatIsSentTwiceCountsOnce) {
  execute(kTable);
  execute(
      "CREATE TABLE larder_applied (journal text, position bigint, PRIMARY KEY (journal, "
      "position))");
  execute("INSERT INTO counters VALUES (1, 100), (2, 100)");
  const auto start_selling = [this] {
    door_.reset();
    larder_.reset();
    std::string cache{kCache};
    const auto statement = cache.find("\"\"\"INSERT");
    const auto end = cache.find("\"\"\"", statement + 3) + 3;
    cache.replace(statement, end - statement,
                  "\"UPDATE counters SET n = n - :sold WHERE id = :id\"");
    larder_ = std::make_unique<RunningLarder>(directory_.string(),
                                              "[sources.shop]\nurl = \"" + url() + "\"\n" + cache);
    door_ = std::make_unique<TcpClient>(larder_->port());
  };
  start_selling();
  {
    PostgresClient other{url()};
    other.execute("BEGIN");
    other.execute("LOCK TABLE counters");
    EXPECT_EQ(ask({"SET", "counter:1", R"({"sold":3})"}).text, "OK");
    EXPECT_EQ(ask({"SET", "counter:2", R"({"sold":1000})"}).text, "OK");  // will be refused
    std::filesystem::copy(directory_ / "journal", directory_ / "before");
    other.execute("COMMIT");
  }
  ASSERT_TRUE(flushed());
  ASSERT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "97");
  larder_->signal(SIGKILL);
  larder_->wait();
  std::filesystem::remove_all(directory_ / "journal");
  std::filesystem::rename(directory_ / "before", directory_ / "journal");

  start_selling();
  ASSERT_TRUE(flushed());

  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "97");
  EXPECT_EQ(execute("SELECT count(*) FROM larder_applied"), "1");
  EXPECT_EQ(ask({"SET", "counter:1", R"({"sold":1})"}).text, "OK");
  EXPECT_TRUE(flushed());
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "96");
}

// Its mark would say that it was done.
TEST_F(WriteBehindPostgres, AWriteThatChangedNoRowIsDoneWhenItsDeadLetterIsRetried) {
  execute(kTable);
  execute(
      "CREATE TABLE larder_applied (journal text, position bigint, PRIMARY KEY (journal, "
      "position))");
  const auto start_updating = [this] {
    std::string cache{kCache};
    const auto statement = cache.find("\"\"\"INSERT");
    const auto end = cache.find("\"\"\"", statement + 3) + 3;
    cache.replace(statement, end - statement, "\"UPDATE counters SET n = :n WHERE id = :id\"");
    larder_ = std::make_unique<RunningLarder>(directory_.string(),
                                              "[sources.shop]\nurl = \"" + url() + "\"\n" + cache);
    door_ = std::make_unique<TcpClient>(larder_->port());
  };
  start_updating();
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":7})"}).text, "OK");
  ASSERT_TRUE(flushed());
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"counter\"}"), 1);
  EXPECT_EQ(execute("SELECT count(*) FROM larder_applied"), "0");
  door_.reset();
  larder_->signal(SIGTERM);
  larder_->wait();
  execute("INSERT INTO counters VALUES (1, 0)");
  {
    const auto desk = behind::JournalDesk::open((directory_ / "journal").string(),
                                                behind::JournalDesk::Purpose::kMend);
    ASSERT_TRUE(desk);
    ASSERT_TRUE((*desk)->at_once([&] { return (*desk)->revive(1, std::nullopt); }));
  }

  start_updating();
  ASSERT_TRUE(flushed());

  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "7");
  EXPECT_EQ(execute("SELECT count(*) FROM larder_applied"), "1");
}

// The server goes on with what it was sent: it waits for a row, and would then write the next.
TEST_F(WriteBehindPostgres, WhatAKilledProcessHadSentLandsBehindNoLaterWrite) {
  execute(kTable);
  execute("INSERT INTO counters VALUES (1, 0), (2, 0)");
  const auto start_with = [&](const std::string& more) {
    door_.reset();
    larder_.reset();
    larder_ = std::make_unique<RunningLarder>(
        directory_.string(), "[sources.shop]\nurl = \"" + url() + "\"\n" + kCache + more);
    door_ = std::make_unique<TcpClient>(larder_->port());
  };
  PostgresClient other{url()};
  other.execute("BEGIN; SELECT 1 FROM counters WHERE id = 1 FOR UPDATE");
  start_with("flush_delay = \"200ms\"\n");  // so that both go together
  EXPECT_EQ(ask({"SET", "counter:1", R"({"n":1})"}).text, "OK");
  EXPECT_EQ(ask({"SET", "counter:2", R"({"n":1})"}).text, "OK");
  while (execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                 "datname = current_database()") != "1") {
  }
  larder_->signal(SIGKILL);
  larder_->wait();

  start_with("flush_batch = 1\n");  // so that the second need not wait for the first
  EXPECT_EQ(ask({"SET", "counter:2", R"({"n":2})"}).text, "OK");
  while (execute("SELECT n FROM counters WHERE id = 2") != "2") {
  }
  other.execute("COMMIT");

  ASSERT_TRUE(flushed());
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "1");
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 2"), "2");
}

// Each writer counts its own key upwards, so what is in the table at the end must be the last
// number that was acknowledged, or one that was sent after it.
TEST_F(WriteBehindPostgres, WhateverIsKilledNoAcknowledgedWriteIsLost) {
  execute(kTable);
  constexpr int kWriters = 4;
  std::array<int, kWriters> sent{};
  std::array<int, kWriters> acknowledged{};
  for (int round = 0; round < 6; ++round) {
    start();
    std::vector<std::thread> writers;
    for (std::size_t w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w, port = larder_->port()] {
        try {
          TcpClient client{port};
          for (;;) {
            const std::string n = std::to_string(++sent[w]);
            const std::string key = "counter:" + std::to_string(w);
            if (client.ask({"SET", key, "{\"n\":" + n + "}"}).text != "OK") return;
            acknowledged[w] = sent[w];
          }
        } catch (const std::exception&) {  // it was killed
        }
      });
    }
    while (larder_->metric("larder_write_behind_flushed_total{cache=\"counter\"}") < 20) {
    }
    if (round % 3 != 0) server()->stop(SIGQUIT);
    if (round % 3 != 1) larder_->signal(SIGKILL);
    if (round % 3 != 0) server()->run();
    larder_->signal(SIGKILL);
    larder_->wait();
    for (std::thread& writer : writers) writer.join();
  }
  start();

  EXPECT_TRUE(flushed());

  for (std::size_t w = 0; w < kWriters; ++w) {
    const std::string json = ask({"GET", "counter:" + std::to_string(w)}).text;
    const int n = std::stoi(json.substr(json.rfind(':') + 1));
    EXPECT_GE(n, acknowledged[w]);
    EXPECT_LE(n, sent[w]);
    EXPECT_GT(n, 0);
  }
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"counter\"}"), 0);
}

}  // namespace
}  // namespace larder::test
