// Writing rows to SQLite, and what is said when it refuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "larder/cache.hpp"
#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "shop_file.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

const std::string kRead =
    "SELECT id, name, price, (SELECT count(*) FROM reviews WHERE product_id = :id) AS reviews "
    "FROM products WHERE id = :id";
const std::string kUpdate = "UPDATE products SET name = :name, price = :price WHERE id = :id";

class SqliteWriteTest : public SqliteTest {
 protected:
  void SetUp() override {
    execute(R"(CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                 price REAL CHECK (price > 0), version INTEGER DEFAULT 1);
               CREATE TABLE reviews (product_id INTEGER);
               INSERT INTO products (id, name, price) VALUES (1, 'Kettle', 24.5), (2, 'Pot', 9);
               INSERT INTO reviews VALUES (1), (1))");
  }

  std::shared_ptr<SqlWriter> updating() {
    return prepare_write({.write = kUpdate,
                          .remove = "DELETE FROM products WHERE id = :id",
                          .read = {.one = kRead}});
  }
};

TEST_F(SqliteWriteTest, APutLeavesWhatTheDatabaseHolds) {
  const auto writer = updating();

  const auto stored = put(*writer, id(1), R"({"name":"Copper kettle","price":30,"extra":[1]})");

  EXPECT_EQ(shown(stored), R"({"id":1,"name":"Copper kettle","price":30.0,"reviews":2})");
  EXPECT_EQ(this->writer().ask("SELECT name FROM products WHERE id = 1"), "Copper kettle");
}

TEST_F(SqliteWriteTest, ReturningChangesNothing) {
  const auto writer = prepare_write(
      {.write = "INSERT INTO products (id, name, price) VALUES (:id, upper(:name), :price) "
                "RETURNING price, name, id",
       .read = {.one = "SELECT id, name, price FROM products WHERE id = :id"}});

  EXPECT_EQ(shown(put(*writer, id(7), R"({"name":"cup","price":3})")),
            R"({"id":7,"name":"CUP","price":3.0})");
}

TEST_F(SqliteWriteTest, TheGivenValueIsLeftWhenThatIsWanted) {
  const auto writer = prepare_write({.write = kUpdate, .read = {.one = kRead}, .keep_value = true});

  EXPECT_EQ(shown(put(*writer, id(1), R"({"name":"A","price":1})")), R"({"name":"A","price":1})");
}

TEST_F(SqliteWriteTest, RefusalsAreInTheDatabasesWords) {
  const auto writer = updating();

  const auto check = put(*writer, id(1), R"({"name":"A","price":-1})");
  const auto unique = put(*writer, id(1), R"({"name":"Pot","price":1})");
  const auto null = put(*writer, id(1), R"({"name":null,"price":1})");

  EXPECT_EQ(check.error().code, Errc::kRejected);
  EXPECT_NE(check.error().message.find("CHECK constraint failed: price > 0"), std::string::npos);
  EXPECT_NE(unique.error().message.find("UNIQUE constraint failed: products.name"),
            std::string::npos);
  EXPECT_NE(null.error().message.find("NOT NULL constraint failed: products.name"),
            std::string::npos);
  EXPECT_EQ(this->writer().ask("SELECT name FROM products WHERE id = 1"), "Kettle");
}

TEST_F(SqliteWriteTest, WhatCannotBeBoundIsRefused) {
  const auto writer = updating();

  EXPECT_EQ(put(*writer, id(1), R"({"name":"A"})").error().code, Errc::kInvalidArgument);
  EXPECT_EQ(put(*writer, id(1), "[]").error().code, Errc::kInvalidArgument);
  EXPECT_NE(put(*writer, id(1), R"({"name":"A","price":99999999999999999999})")
                .error()
                .message.find("larger than SQLite's integers"),
            std::string::npos);
}

TEST_F(SqliteWriteTest, ZeroRowsAreAnError) {
  const auto writer = updating();

  const auto missing = put(*writer, id(99), R"({"name":"A","price":1})");

  EXPECT_EQ(missing.error().code, Errc::kRejected);
  EXPECT_NE(missing.error().message.find("no row was changed"), std::string::npos);
}

TEST_F(SqliteWriteTest, AnOldVersionIsAConflict) {
  const auto writer =
      prepare_write({.write = "UPDATE products SET name = :name, version = version + 1 "
                              "WHERE id = :id AND version = :version",
                     .read = {.one = "SELECT id, name, version FROM products WHERE id = :id"},
                     .version = "version"});
  EXPECT_EQ(shown(put(*writer, id(1), R"({"name":"A","version":1})")),
            R"({"id":1,"name":"A","version":2})");

  const auto late = put(*writer, id(1), R"({"name":"B","version":1})");
  const auto missing = put(*writer, id(99), R"({"name":"B","version":1})");

  EXPECT_EQ(late.error().code, Errc::kConflict);
  EXPECT_EQ(missing.error().code, Errc::kRejected);
}

TEST_F(SqliteWriteTest, ARemovalSaysWhetherThereWasARow) {
  const auto writer = updating();

  EXPECT_TRUE(remove(*writer, id(2))->changed);
  EXPECT_FALSE(remove(*writer, id(2))->changed);

  EXPECT_EQ(this->writer().ask("SELECT count(*) FROM products"), "1");
}

TEST_F(SqliteWriteTest, WhatIsWrittenTogetherSharesACommitAndNothingElse) {
  const auto writer = updating();

  const auto results = begin_write(*writer, {{.key = id(1), .value = R"({"name":"A","price":1})"},
                                             {.key = id(2), .value = R"({"name":"B","price":-1})"},
                                             {.key = id(1), .value = R"({"name":"C","price":2})"}})
                           .get();

  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, Errc::kRejected);
  EXPECT_EQ(shown(results[2]), R"({"id":1,"name":"C","price":2.0,"reviews":2})");
  EXPECT_EQ(writer->transactions(), 1U);
}

TEST_F(SqliteWriteTest, AStatementThatRollsAllBackTakesNothingOfTheOthersWithIt) {
  const auto writer = prepare_write(
      {.write = "UPDATE OR ROLLBACK products SET name = :name, price = :price WHERE id = :id",
       .read = {.one = kRead}});

  const auto results = begin_write(*writer, {{.key = id(1), .value = R"({"name":"A","price":1})"},
                                             {.key = id(2), .value = R"({"name":"B","price":-1})"}})
                           .get();

  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, Errc::kRejected);
  EXPECT_EQ(this->writer().ask("SELECT name FROM products WHERE id = 1"), "A");
}

TEST_F(SqliteWriteTest, ADeferredConstraintRefusesItsOwnWriteAlone) {
  execute(R"(CREATE TABLE parts (id INTEGER PRIMARY KEY,
               product INTEGER REFERENCES products DEFERRABLE INITIALLY DEFERRED))");
  const auto writer =
      prepare_write({.write = "INSERT INTO parts VALUES (:id, :product)",
                     .read = {.one = "SELECT id, product FROM parts WHERE id = :id"}});

  const auto results = begin_write(*writer, {{.key = id(1), .value = R"({"product":1})"},
                                             {.key = id(2), .value = R"({"product":99})"}})
                           .get();

  EXPECT_EQ(shown(results[0]), R"({"id":1,"product":1})");
  EXPECT_EQ(results[1].error().code, Errc::kRejected);
  EXPECT_EQ(this->writer().ask("SELECT count(*) FROM parts"), "1");
}

TEST_F(SqliteWriteTest, SomebodyElsesLockIsWaitedForAndThenToldOf) {
  database({.busy_timeout = 20ms});
  const auto writer = updating();
  execute("BEGIN IMMEDIATE");

  const auto locked = put(*writer, id(1), R"({"name":"A","price":1})");
  execute("COMMIT");

  EXPECT_EQ(locked.error().code, Errc::kSourceFailed);
  EXPECT_NE(locked.error().message.find("locked by another process"), std::string::npos);
  EXPECT_TRUE(put(*writer, id(1), R"({"name":"A","price":1})"));
}

TEST_F(SqliteWriteTest, StatementsThatCannotWorkAreRefusedAtOnce) {
  const SqlRead read{.one = kRead};

  EXPECT_NE(write_refusal({.write = "SELECT :id", .read = read}).find("writes nothing"),
            std::string::npos);
  EXPECT_NE(write_refusal({.write = "DROP TABLE products", .read = read})
                .find("one INSERT, UPDATE or DELETE"),
            std::string::npos);
  EXPECT_NE(
      write_refusal({.write = "UPDATE products SET nmae = :name WHERE id = :id", .read = read})
          .find("no such column: nmae"),
      std::string::npos);
  EXPECT_NE(write_refusal({.write = "UPDATE products SET name = :name", .read = read})
                .find("does not name the key's part :id"),
            std::string::npos);
  EXPECT_NE(write_refusal({.write = kUpdate, .read = read, .version = "version"})
                .find("does not compare the version"),
            std::string::npos);
  EXPECT_NE(write_refusal({.write = kUpdate,
                           .remove = "DELETE FROM products WHERE id = :id AND name = :name",
                           .read = read})
                .find("nothing gives it :name"),
            std::string::npos);
  EXPECT_NE(write_refusal({.write = "UPDATE products SET name = ? WHERE id = :id", .read = read})
                .find("parameters are written :name"),
            std::string::npos);
}

TEST_F(SqliteWriteTest, AFileThatIsToBeLeftAsItIsIsNotWritten) {
  database({.read_only = true});

  EXPECT_NE(write_refusal({.write = kUpdate, .read = {.one = kRead}}).find("read_only"),
            std::string::npos);
}

TEST_F(SqliteWriteTest, AClosedDatabaseWritesNothing) {
  const auto writer = updating();
  database().close();

  EXPECT_EQ(put(*writer, id(1), R"({"name":"A","price":1})").error().code, Errc::kCancelled);
}

struct Product {
  std::int64_t id;
  std::string name;
  double price;
  std::int64_t reviews;
};
BOOST_DESCRIBE_STRUCT(Product, (), (id, name, price, reviews))

TEST_F(SqliteWriteTest, ATypedCacheWritesThroughIt) {
  database();
  Cache<std::int64_t, Product> products{
      runtime_,
      {.name = "product",
       .source = sql<std::int64_t, Product>(database_, kRead),
       .writer = sql_writer<std::int64_t, Product>(database_,
                                                   {.write = kUpdate,
                                                    .remove = "DELETE FROM products WHERE id = :id",
                                                    .read = {.one = kRead}})}};

  ASSERT_TRUE(products.put(1, {.id = 1, .name = "Samovar", .price = 99, .reviews = 0}));

  EXPECT_EQ(products.get(1).origin(), Origin::kMemory);
  EXPECT_EQ(products.get(1)->reviews, 2) << "as the database has it, not as it was given";
  EXPECT_EQ(products.remove(1), true);
  EXPECT_TRUE(products.get(1).absent());
}

}  // namespace
}  // namespace larder
