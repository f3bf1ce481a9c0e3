// What goes wrong while it runs.
#include <gmock/gmock.h>

#include <csignal>

#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PostgresFailing : public PostgresTest {
 protected:
  // Blocks until advisory lock `id` is free, which execute() below holds.
  std::shared_ptr<SqlReader> lock_reader() {
    return prepare("SELECT pg_advisory_xact_lock(:id)::text AS locked");
  }
  void hold() { execute("SELECT pg_advisory_lock(1)"); }
  void release() { execute("SELECT pg_advisory_unlock(1)"); }
  void wait_for_waiters(const std::string& count) {
    while (execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") !=
           count) {
    }
  }
  // Ends the sessions of larder that wait for the lock.
  void kill_waiters() {
    execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND NOT "
        "granted");
  }
};

TEST_F(PostgresFailing, ASlowQueryIsCancelledByTheServerAndTheSessionLives) {
  database({.query_timeout = 50ms, .connections = 1});
  const auto pid = prepare("SELECT pg_backend_pid() AS pid WHERE 1 = :id");
  const std::string before = value(*pid, id(1));
  hold();

  EXPECT_THAT(value(*lock_reader(), id(1)), HasSubstr("it took longer than 50ms"));

  EXPECT_EQ(value(*pid, id(1)), before);
}

TEST_F(PostgresFailing, WithoutTheServersTimeoutTheQueryIsCancelledFromOutside) {
  database({.prepared = false, .query_timeout = 50ms, .connections = 1});
  hold();

  EXPECT_THAT(value(*lock_reader(), id(1)), HasSubstr("no answer from the server within 50ms"));

  wait_for_waiters("0");  // it does not go on in the server
  EXPECT_EQ(value(*prepare("SELECT 7 AS n WHERE 1 = :id"), id(1)), R"({"n":7})");
}

TEST_F(PostgresFailing, ASessionThatIsKilledIsReplacedAndItsLoadAskedAgain) {
  database({.connections = 1});
  hold();
  const auto reader = lock_reader();
  auto load = begin_load(*reader, {id(1)});
  wait_for_waiters("1");

  kill_waiters();
  wait_for_waiters("1");  // the new session's
  release();

  EXPECT_EQ(shown(load.get().front()), R"({"locked":""})");
}

TEST_F(PostgresFailing, ALoadWhoseSessionIsKilledTwiceIsAnError) {
  database({.connections = 1});
  hold();
  const auto reader = lock_reader();
  auto load = begin_load(*reader, {id(1)});
  for (int i = 0; i < 2; ++i) {
    wait_for_waiters("1");
    const std::string pid =
        execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    kill_waiters();
    while (execute("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) != "0") {
    }
  }

  EXPECT_THAT(shown(load.get().front()), HasSubstr("the connection was lost"));
}

TEST_F(PostgresFailing, AServerThatIsGoneIsAnErrorAtOnceAndIsFoundAgain) {
  const auto reader = prepare("SELECT 7 AS n WHERE 1 = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"n":7})");

  client_.reset();
  server()->stop(SIGQUIT);
  const std::string down = value(*reader, id(1));
  const std::string still_down = value(*reader, id(1));
  server()->run();

  EXPECT_THAT(down, HasSubstr("cannot connect"));
  EXPECT_THAT(still_down, HasSubstr("cannot connect"));
  std::string up = value(*reader, id(1));
  while (up.contains("next try in")) up = value(*reader, id(1));
  EXPECT_EQ(up, R"({"n":7})");
}

TEST_F(PostgresFailing, ARestartBetweenTwoLoadsIsNotSeen) {
  const auto reader = prepare("SELECT 7 AS n WHERE 1 = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"n":7})");

  client_.reset();
  server()->stop(SIGINT);
  server()->run();

  EXPECT_EQ(value(*reader, id(1)), R"({"n":7})");
}

TEST_F(PostgresFailing, LoadsBeyondTheLimitAreRefusedAndSaySo) {
  database({.connections = 1, .max_waiting = 2});
  hold();
  const auto reader = lock_reader();
  auto first = begin_load(*reader, {id(1)});
  wait_for_waiters("1");
  auto second = begin_load(*reader, {id(2)});
  auto third = begin_load(*reader, {id(3)});

  const auto refused = begin_load(*reader, {id(4)}).get().front();
  release();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("2 loads wait for one of 1 connections"));
  EXPECT_EQ(shown(first.get().front()), R"({"locked":""})");
  EXPECT_EQ(shown(second.get().front()), R"({"locked":""})");
  EXPECT_EQ(shown(third.get().front()), R"({"locked":""})");
}

TEST_F(PostgresFailing, AColumnThatChangesItsTypeUnderAPreparedStatementIsFollowed) {
  execute("CREATE TABLE p(id int, price int); INSERT INTO p VALUES (1, 5)");
  database({.connections = 1});
  const auto reader = prepare("SELECT * FROM p WHERE id = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"price":5})");

  execute("ALTER TABLE p ALTER price TYPE numeric USING price + 0.50");
  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"price":5.50})");
  execute("ALTER TABLE p ADD tags text[] DEFAULT '{a}'");
  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"price":5.50,"tags":["a"]})");
}

TEST_F(PostgresFailing, ATableThatIsGoneIsAnErrorAndNotAbsence) {
  execute("CREATE TABLE p(id int); INSERT INTO p VALUES (1)");
  const auto reader = prepare("SELECT id FROM p WHERE id = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1})");

  execute("DROP TABLE p");

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("relation \"p\" does not exist"));
}

TEST_F(PostgresFailing, AFunctionThatWritesIsRefusedAsItRuns) {
  execute(
      "CREATE TABLE log(n int); CREATE FUNCTION note(n int) RETURNS int LANGUAGE sql AS 'INSERT "
      "INTO "
      "log VALUES (n) RETURNING n'");

  EXPECT_THAT(value(*prepare("SELECT note(:id) AS n"), id(1)),
              HasSubstr("the statement writes, and must only read"));
  EXPECT_EQ(execute("SELECT count(*) FROM log"), "0");
}

TEST_F(PostgresFailing, ClosingCallsOffWhatRunsAndWhatComes) {
  database({.connections = 1});
  hold();
  const auto reader = lock_reader();
  auto running = begin_load(*reader, {id(1)});
  wait_for_waiters("1");
  auto waiting = begin_load(*reader, {id(2)});

  database_->close();

  EXPECT_EQ(running.get().front().error().code, Errc::kCancelled);
  EXPECT_EQ(waiting.get().front().error().code, Errc::kCancelled);
  EXPECT_EQ(begin_load(*reader, {id(3)}).get().front().error().code, Errc::kCancelled);
}

TEST_F(PostgresFailing, ALoadThatWasGivenUpIsNotRun) {
  const auto reader = prepare("SELECT 7 AS n WHERE 1 = :id");
  std::promise<void> asked;
  bool answered = false;

  reader->submit(
      {id(1)},
      [&] {
        asked.set_value();
        return false;
      },
      [&](auto) { answered = true; });
  asked.get_future().wait();

  EXPECT_EQ(value(*reader, id(1)), R"({"n":7})");
  EXPECT_EQ(reader->queries(), 1);
  EXPECT_FALSE(answered);
}

TEST_F(PostgresFailing, ARuntimeThatStopsUnderLoadsEndsThem) {
  execute("CREATE TABLE p(id int); INSERT INTO p VALUES (1)");
  hold();
  std::vector<std::future<std::vector<Loaded<std::string>>>> loads;
  {
    Runtime runtime{{.io_threads = 2}};
    auto shop = postgres(runtime, url());
    auto reader =
        *shop->prepare({.one = "SELECT pg_advisory_xact_lock(:id)::text AS locked"}, {"id"});
    for (int i = 0; i < 20; ++i) loads.push_back(begin_load(*reader, {id(1)}));
    wait_for_waiters("4");
    runtime.stop();
  }

  for (auto& load : loads) EXPECT_EQ(load.get().front().error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace larder
