// A program that writes behind to a real PostgreSQL, by the library.
#include "larder/write_behind_cache.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

class PostgresBehindCache : public PostgresTest {
 protected:
  using Counters = WriteBehindCache<std::int64_t, std::string>;

  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    execute("CREATE TABLE counters (id bigint PRIMARY KEY, n bigint NOT NULL CHECK (n >= 0))");
    folder_ = unprivileged_directory();
    start();
  }
  void TearDown() override {
    end();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    PostgresTest::TearDown();
  }
  void start() {
    runtime_of_program_.emplace();
    shop_ = postgres(*runtime_of_program_, url());
    counters_.emplace(
        *runtime_of_program_, Journal::open({.path = (folder_ / "journal").string()}).value(),
        CacheOptions<std::int64_t, std::string>{
            .name = "counter",
            .source = sql<std::int64_t, std::string>(shop_, kRead),
            .writer = sql_writer<std::int64_t, std::string>(
                shop_, {.write = kWrite,
                        .remove = "DELETE FROM counters WHERE id = :id",
                        .read = {.one = kRead},
                        .keep_value = true})},
        WriteBehindOptions<std::int64_t>{.refused = [this](const std::int64_t&, const Error& why) {
          const std::scoped_lock lock{mutex_};
          refused_.push_back(why);
        }});
  }
  void end() {
    counters_.reset();
    shop_.reset();
    runtime_of_program_.reset();
  }

  static constexpr const char* kRead = "SELECT id, n FROM counters WHERE id = :id";
  static constexpr const char* kWrite =
      "INSERT INTO counters (id, n) VALUES (:id, :n) ON CONFLICT (id) DO UPDATE SET n = excluded.n";

  std::filesystem::path folder_;
  std::optional<Runtime> runtime_of_program_;
  std::shared_ptr<SqlDatabase> shop_;
  std::mutex mutex_;
  std::vector<Error> refused_;  // guarded by mutex_
  std::optional<Counters> counters_;
};

TEST_F(PostgresBehindCache, ManyPutsTakeFewTransactionsAndOneRefusalTakesNoOther) {
  for (std::int64_t i = 1; i <= 300; ++i) {
    ASSERT_TRUE(counters_->put(i, R"({"n":)" + std::to_string(i == 150 ? -1 : i) + "}"));
  }
  ASSERT_TRUE(counters_->flush());

  EXPECT_EQ(execute("SELECT count(*) FROM counters"), "299");
  EXPECT_EQ(counters_->get(299).value(), R"({"id":299,"n":299})");
  EXPECT_LT(counters_->write_behind_stats().batches, 150U);
  const std::scoped_lock lock{mutex_};
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].state, "23514");
  EXPECT_THAT(refused_[0].message, HasSubstr("counters_n_check"));
}

TEST_F(PostgresBehindCache, WhatWasPutWhilePostgresIsDownIsThereAfterAnotherStart) {
  server()->stop(SIGQUIT);
  ASSERT_TRUE(counters_->put(1, R"({"n":1})"));
  ASSERT_TRUE(counters_->put(1, R"({"n":2})"));
  ASSERT_TRUE(counters_->remove(2));
  EXPECT_EQ(counters_->get(1).value(), R"({"n":2})");
  end();
  server()->run();

  start();
  ASSERT_TRUE(counters_->flush());

  client_.reset();  // its session ended with the server
  EXPECT_EQ(execute("SELECT n FROM counters WHERE id = 1"), "2");
  EXPECT_EQ(counters_->get(1).value(), R"({"id":1,"n":2})");
}

}  // namespace
}  // namespace larder
