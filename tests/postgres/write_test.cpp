// Writing rows to a real PostgreSQL, and what is said when it refuses.
#include <gmock/gmock.h>

#include "larder/cache.hpp"
#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kRead =
    "SELECT id, name, price, (SELECT count(*) FROM reviews WHERE product_id = :id) AS reviews "
    "FROM products WHERE id = :id";
const std::string kUpdate = "UPDATE products SET name = :name, price = :price WHERE id = :id";

class PostgresWriteTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    execute(R"(CREATE TABLE products (id int8 PRIMARY KEY, name text NOT NULL UNIQUE,
                 price numeric CONSTRAINT price_positive CHECK (price > 0), version int DEFAULT 1);
               CREATE TABLE reviews (product_id int8);
               INSERT INTO products VALUES (1, 'Kettle', 24.50), (2, 'Pot', 9);
               INSERT INTO reviews VALUES (1), (1))");
  }

  std::shared_ptr<SqlWriter> updating() {
    return prepare_write({.write = kUpdate,
                          .remove = "DELETE FROM products WHERE id = :id",
                          .read = {.one = kRead}});
  }
  std::string name_of_first() { return execute("SELECT name FROM products WHERE id = 1"); }
};

TEST_F(PostgresWriteTest, APutLeavesWhatTheDatabaseHoldsWithEveryDigit) {
  const auto writer = updating();

  const auto stored =
      put(*writer, id(1), R"({"name":"Copper kettle","price":1234567890123456.70})");

  EXPECT_EQ(shown(stored),
            R"({"id":1,"name":"Copper kettle","price":1234567890123456.70,"reviews":2})");
  EXPECT_EQ(name_of_first(), "Copper kettle");
}

TEST_F(PostgresWriteTest, WithoutPreparedStatementsToo) {
  database({.prepared = false});

  EXPECT_EQ(shown(put(*updating(), id(1), R"({"name":"A","price":1})")),
            R"({"id":1,"name":"A","price":1,"reviews":2})");
}

TEST_F(PostgresWriteTest, ReturningIsTheRow) {
  const auto writer = prepare_write(
      {.write = "INSERT INTO products (id, name, price) VALUES (:id, upper(:name), :price) "
                "RETURNING price, name, id",
       .read = {.one = "SELECT id, name, price FROM products WHERE id = :id"}});

  EXPECT_EQ(shown(put(*writer, id(7), R"({"name":"cup","price":3})")),
            R"({"id":7,"name":"CUP","price":3})");
}

TEST_F(PostgresWriteTest, EveryTypeComesBackAsItWasGiven) {
  execute(
      R"(CREATE TABLE kinds (id int PRIMARY KEY, flag bool, big int8, real float8, exact numeric,
               at timestamptz, list int[], names text[], doc jsonb, raw bytea, word text))");
  const std::string columns = "flag, big, real, exact, list, names, doc, raw, word";
  const auto writer = prepare_write(
      {.write = "INSERT INTO kinds (id, " + columns +
                ") VALUES (:id, :flag, :big, :real, :exact, :list, :names, :doc, :raw, :word)",
       .read = {.one = "SELECT " + columns + " FROM kinds WHERE id = :id"}});
  const std::string value =
      R"({"flag":true,"big":9223372036854775807,"real":0.1,"exact":0.30000000000000000004,)"
      R"("list":[1,null,3],"names":["a,b","\"","NULL"],"doc":{"x": [1, "é"]},"raw":"AAH/",)"
      R"("word":"it's"})";

  EXPECT_EQ(shown(put(*writer, id(1), value)), value);
  const std::string nulls =
      R"({"flag":null,"big":null,"real":null,"exact":null,"list":null,"names":null,"doc":null,)"
      R"("raw":null,"word":null})";
  EXPECT_EQ(shown(put(*writer, id(2), nulls)), nulls);
}

TEST_F(PostgresWriteTest, RefusalsHaveConstraintAndSqlstate) {
  const auto writer = updating();

  const auto check = put(*writer, id(1), R"({"name":"A","price":-1})");
  const auto unique = put(*writer, id(1), R"({"name":"Pot","price":1})");
  const auto type = put(*writer, id(1), R"({"name":"A","price":"cheap"})");

  EXPECT_EQ(check.error().code, Errc::kRejected);
  EXPECT_THAT(check.error().message, HasSubstr("price_positive"));
  EXPECT_THAT(check.error().message, HasSubstr("SQLSTATE 23514"));
  EXPECT_THAT(unique.error().message, HasSubstr("products_name_key"));
  EXPECT_THAT(type.error().message, HasSubstr("SQLSTATE 22P02"));
  EXPECT_EQ(name_of_first(), "Kettle");
}

TEST_F(PostgresWriteTest, ADeferredConstraintRefusesAtTheCommit) {
  execute(R"(CREATE TABLE parts (id int PRIMARY KEY,
               product int8 REFERENCES products DEFERRABLE INITIALLY DEFERRED))");
  const auto writer =
      prepare_write({.write = "INSERT INTO parts VALUES (:id, :product)",
                     .read = {.one = "SELECT id, product FROM parts WHERE id = :id"}});

  const auto refused = put(*writer, id(1), R"({"product":99})");

  EXPECT_EQ(refused.error().code, Errc::kRejected);
  EXPECT_THAT(refused.error().message, HasSubstr("parts_product_fkey"));
  EXPECT_EQ(shown(put(*writer, id(2), R"({"product":1})")), R"({"id":2,"product":1})");
}

TEST_F(PostgresWriteTest, WhatIsWrittenTogetherSharesACommitAndNothingElse) {
  const auto writer = updating();

  const auto good = begin_write(*writer, {{.key = id(1), .value = R"({"name":"A","price":1})"},
                                          {.key = id(2), .value = R"({"name":"B","price":2})"}})
                        .get();
  EXPECT_TRUE(good[0] && good[1]);
  EXPECT_EQ(writer->transactions(), 1U);

  const auto mixed = begin_write(*writer, {{.key = id(1), .value = R"({"name":"C","price":1})"},
                                           {.key = id(2), .value = R"({"name":"D","price":-1})"},
                                           {.key = id(99), .value = R"({"name":"E","price":1})"}})
                         .get();
  EXPECT_EQ(shown(mixed[0]), R"({"id":1,"name":"C","price":1,"reviews":2})");
  EXPECT_EQ(mixed[1].error().code, Errc::kRejected);
  EXPECT_THAT(mixed[2].error().message, HasSubstr("no row was changed"));
  EXPECT_EQ(execute("SELECT name FROM products WHERE id = 2"), "B");
}

TEST_F(PostgresWriteTest, AnOldVersionIsAConflict) {
  const auto writer =
      prepare_write({.write = "UPDATE products SET name = :name, version = version + 1 "
                              "WHERE id = :id AND version = :version",
                     .read = {.one = "SELECT id, name, version FROM products WHERE id = :id"},
                     .version = "version"});
  EXPECT_EQ(shown(put(*writer, id(1), R"({"name":"A","version":1})")),
            R"({"id":1,"name":"A","version":2})");

  EXPECT_EQ(put(*writer, id(1), R"({"name":"B","version":1})").error().code, Errc::kConflict);
  EXPECT_EQ(put(*writer, id(99), R"({"name":"B","version":1})").error().code, Errc::kRejected);
}

TEST_F(PostgresWriteTest, ARemovalSaysWhetherThereWasARow) {
  const auto writer = updating();

  EXPECT_TRUE(remove(*writer, id(2))->changed);
  EXPECT_FALSE(remove(*writer, id(2))->changed);
}

TEST_F(PostgresWriteTest, AKilledSessionLeavesTheOutcomeUnknown) {
  execute("CREATE TABLE locked (id int PRIMARY KEY, n int)");
  execute("INSERT INTO locked VALUES (1, 0)");
  const auto writer = prepare_write({.write = "UPDATE locked SET n = :n WHERE id = :id",
                                     .read = {.one = "SELECT n FROM locked WHERE id = :id"}});
  execute("BEGIN; UPDATE locked SET n = 5 WHERE id = 1");
  auto write = begin_write(*writer, {{.key = id(1), .value = R"({"n":7})"}});
  PostgresClient killer{url()};
  while (killer.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE query LIKE 'UPDATE locked SET n = $%' AND state = 'active'") ==
         "0") {
  }

  const auto outcome = write.get().front();
  execute("COMMIT");

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kOutcomeUnknown) << outcome.error().message;
  EXPECT_EQ(execute("SELECT n FROM locked"), "5");
  EXPECT_EQ(shown(put(*writer, id(1), R"({"n":8})")), R"({"n":8})");
}

TEST_F(PostgresWriteTest, ASlowWriteIsCancelledAndWasNotDone) {
  database({.query_timeout = 50ms});
  const auto writer = updating();
  execute("BEGIN; UPDATE products SET price = 5 WHERE id = 1");

  const auto slow = put(*writer, id(1), R"({"name":"A","price":1})");
  execute("COMMIT");

  EXPECT_EQ(slow.error().code, Errc::kSourceFailed);
  EXPECT_THAT(slow.error().message, HasSubstr("it took longer than 50ms"));
  EXPECT_EQ(name_of_first(), "Kettle");
}

TEST_F(PostgresWriteTest, WritesBeyondTheLimitAreRefusedAndSaySo) {
  database({.connections = 1, .max_waiting = 1});
  const auto writer = updating();
  execute("BEGIN; UPDATE products SET price = 5 WHERE id = 1");
  auto first = begin_write(*writer, {{.key = id(1), .value = R"({"name":"A","price":1})"}});
  PostgresClient watcher{url()};
  while (watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted") != "1") {
  }
  auto second = begin_write(*writer, {{.key = id(2), .value = R"({"name":"B","price":2})"}});

  const auto third = put(*writer, id(2), R"({"name":"C","price":3})");
  execute("COMMIT");

  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::kOverloaded);
  EXPECT_THAT(third.error().message, HasSubstr("1 writes wait for one of 1 connections"));
  EXPECT_TRUE(first.get().front());
  EXPECT_TRUE(second.get().front());
}

TEST_F(PostgresWriteTest, AChangedSchemaIsFollowed) {
  const auto writer =
      prepare_write({.write = kUpdate, .read = {.one = "SELECT * FROM products WHERE id = :id"}});
  EXPECT_TRUE(put(*writer, id(1), R"({"name":"A","price":1})"));
  execute("ALTER TABLE products ADD colour text DEFAULT 'red'");

  EXPECT_THAT(shown(put(*writer, id(1), R"({"name":"B","price":1})")), HasSubstr("\"red\""));
}

TEST_F(PostgresWriteTest, StatementsThatCannotWorkAreRefusedAtOnce) {
  const SqlRead read{.one = kRead};

  EXPECT_THAT(write_refusal({.write = "SELECT :id", .read = read}),
              HasSubstr("one INSERT, UPDATE or DELETE"));
  EXPECT_THAT(write_refusal({.write = "/* x */ DROP TABLE products", .read = read}),
              HasSubstr("one INSERT, UPDATE or DELETE"));
  EXPECT_THAT(
      write_refusal({.write = "UPDATE products SET nmae = :name WHERE id = :id", .read = read}),
      HasSubstr("nmae"));
  EXPECT_THAT(write_refusal({.write = "UPDATE products SET name = :name", .read = read}),
              HasSubstr("does not name the key's part :id"));
  EXPECT_THAT(write_refusal({.write = kUpdate + " RETURNING name", .read = read}),
              HasSubstr("RETURNING must give the columns"));
}

TEST_F(PostgresWriteTest, AStringCacheWritesThroughIt) {
  database();
  Cache<std::int64_t, std::string> products{
      runtime_,
      {.name = "product",
       .source = sql<std::int64_t, std::string>(database_, kRead),
       .writer = sql_writer<std::int64_t, std::string>(
           database_, {.write = kUpdate, .read = {.one = kRead}})}};

  ASSERT_TRUE(products.put(1, R"({"name":"Samovar","price":99})"));

  EXPECT_EQ(products.get(1).origin(), Origin::kMemory);
  EXPECT_EQ(products.get(1).value(), R"({"id":1,"name":"Samovar","price":99,"reviews":2})");
}

}  // namespace
}  // namespace larder
