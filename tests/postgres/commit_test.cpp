// A connection that is lost while a write commits: nobody knows what became of the write, the
// caller is told so, and nothing that may be untrue is kept.
#include <gmock/gmock.h>

#include "larder/cache.hpp"
#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "postgres/postgres_proxy.hpp"
#include "postgres/postgres_server.hpp"
#include "postgres/stalled_network.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

constexpr const char* kRead = "SELECT name FROM products WHERE id = :id";
constexpr const char* kWrite = "UPDATE products SET name = :name WHERE id = :id";

class PostgresCommit : public PostgresTest {
 protected:
  using Products = Cache<std::int64_t, std::string>;

  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    execute(
        "CREATE TABLE products (id int PRIMARY KEY, name text);"
        "INSERT INTO products VALUES (1, 'Kettle')");
    directory_ = unprivileged_directory();
    proxy_ = std::make_unique<PostgresProxy>(directory_, server()->directory());
    shop_ = postgres(runtime_,
                     "postgresql:///" + name_ + "?host=" + directory_.string() + "&user=larder");
    products_ = std::make_unique<Products>(
        runtime_, CacheOptions<std::int64_t, std::string>{
                      .source = sql<std::int64_t, std::string>(shop_, kRead),
                      .writer = sql_writer<std::int64_t, std::string>(
                          shop_, {.write = kWrite, .read = {.one = kRead}})});
    // From now on the session that writes is there.
    ASSERT_TRUE(products_->put(1, R"({"name":"Pot"})"));
    ASSERT_EQ(products_->get(1).origin(), Origin::kMemory);
  }
  void TearDown() override {
    products_.reset();
    shop_.reset();
    proxy_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    PostgresTest::TearDown();
  }

  // What is read, and that it is not kept.
  void expect_unkept(const std::string& value) {
    for (int i = 0; i < 2; ++i) {
      const auto answer = products_->get(1);
      EXPECT_EQ(answer.origin(), Origin::kSource);
      EXPECT_EQ(answer.value(), value);
    }
  }

  std::filesystem::path directory_;
  std::unique_ptr<PostgresProxy> proxy_;
  std::shared_ptr<SqlDatabase> shop_;
  std::unique_ptr<Products> products_;
};

TEST_F(PostgresCommit, AnAnswerThatIsLostLeavesTheOutcomeUnknownAndReadsTrue) {
  proxy_->swallow_next_answer();

  const auto put = products_->put(1, R"({"name":"Samovar"})");

  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kOutcomeUnknown);
  EXPECT_THAT(put.error().message, HasSubstr("Whether the write was done is not known"));
  EXPECT_EQ(products_->stats().writes_unknown, 1U);
  expect_unkept(R"({"name":"Samovar"})");  // it was
}

TEST_F(PostgresCommit, AWriteThatLandsLongAfterItsConnectionIsNotHiddenByAnOlderCopy) {
  execute("BEGIN; SELECT 1 FROM products WHERE id = 1 FOR UPDATE");
  auto put = products_->async_put(1, R"({"name":"Samovar"})", boost::asio::use_future);
  PostgresClient watcher{url()};
  while (watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                         "datname = current_database()") != "1") {
  }

  proxy_->cut();
  const Result<void> outcome = put.get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kOutcomeUnknown);
  expect_unkept(R"({"name":"Pot"})");
  execute("COMMIT");  // the server goes on with what it was sent
  while (watcher.execute("SELECT name FROM products") != "Samovar") {
  }

  expect_unkept(R"({"name":"Samovar"})");
}

TEST_F(PostgresCommit, ASessionThatEndsAsItCommitsLeavesTheOutcomeUnknown) {
  execute(R"(CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON products DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION die())");

  const auto put = products_->put(1, R"({"name":"Samovar"})");

  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kOutcomeUnknown);
  expect_unkept(R"({"name":"Pot"})");
  execute("DROP TRIGGER dies ON products");
  EXPECT_TRUE(products_->put(1, R"({"name":"Teapot"})"));
  EXPECT_EQ(execute("SELECT name FROM products"), "Teapot");
}

// The system goes on for minutes to deliver what was sent on a connection that is closed. A write
// that was given up, and sent again, would come once more, over those that were written since.
TEST_F(PostgresCommit, WhatTheNetworkHeldBackIsNotDeliveredBehindLaterWrites) {
  StalledNetwork network{server()->directory()};
  auto slow = postgres(runtime_,
                       "postgresql://larder@127.0.0.1:" + std::to_string(network.port()) + "/" +
                           name_ + "?application_name=held%20back",
                       {.query_timeout = std::chrono::milliseconds{200}, .connections = 1});
  auto writer = sql_writer<std::int64_t, std::string>(
      slow, {.write = kWrite, .read = {.one = kRead}, .keep_value = true});
  const auto write = [&](const std::string& name) {
    std::promise<Result<Stored<std::string>>> told;
    writer->submit(
        {{1, R"({"name":")" + name + R"("})"}}, [] { return true; },
        [&](auto outcomes) { told.set_value(std::move(outcomes.front())); });
    return told.get_future().get();
  };
  ASSERT_TRUE(write("Kettle"));
  network.stall();
  const auto outcome = write(std::string(200'000, 'v'));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kOutcomeUnknown);
  ASSERT_TRUE(products_->put(1, R"({"name":"Samovar"})"));  // by another way
  network.go_on();
  writer.reset();  // with any other session that it has
  slow.reset();
  while (execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'held back'") !=
         "0") {  // until its session has come to its end
  }

  EXPECT_EQ(execute("SELECT name FROM products"), "Samovar");
}

}  // namespace
}  // namespace larder
