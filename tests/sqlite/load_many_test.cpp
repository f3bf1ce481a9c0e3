// Many keys: as one query, and the same answers as one by one.
#include <gmock/gmock.h>

#include <future>
#include <random>
#include <thread>

#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kOne = "SELECT id, name FROM p WHERE id = :id";
const std::string kMany = "SELECT id, name FROM p WHERE id IN (SELECT value FROM json_each(:ids))";

class SqliteLoadMany : public SqliteTest {
 protected:
  // Products 100, 101, … of so many bytes each.
  void add_large(int count, std::size_t bytes) {
    execute("WITH RECURSIVE i(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM i LIMIT " +
            std::to_string(count) + ") INSERT INTO p SELECT x, printf('%.*c', " +
            std::to_string(bytes) + ", 'x') FROM i");
  }
  // Loads keys from 100 on until all are there; how many keys each load answered.
  std::vector<std::size_t> load_in_parts(SqlReader& reader, std::int64_t count) {
    std::vector<std::size_t> parts;
    for (std::int64_t next = 100; next < 100 + count;) {
      std::vector<SqlParameters> keys;
      for (std::int64_t key = next; key < 100 + count; ++key) keys.push_back(id(key));
      const auto results = load(reader, keys);
      for (const auto& result : results) {
        EXPECT_TRUE(result->value().starts_with("{\"id\":" + std::to_string(next++) + ','));
      }
      parts.push_back(results.size());
      if (results.empty()) break;
    }
    return parts;
  }

  SqliteLoadMany() {
    execute(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT);"
        "INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c'), (9007199254740993, 'big')");
  }
};

TEST_F(SqliteLoadMany, OneQueryAnswersManyKeysInTheirOrder) {
  const auto reader = prepare({.one = kOne, .many = kMany, .many_key = "id"});

  EXPECT_THAT(values(*reader, {id(3), id(7), id(1), id(9007199254740993), id(9007199254740992)}),
              ElementsAre(R"({"id":3,"name":"c"})", "absent", R"({"id":1,"name":"a"})",
                          R"({"id":9007199254740993,"name":"big"})", "absent"));
  EXPECT_EQ(reader->queries(), 1U);
}

TEST_F(SqliteLoadMany, ASingleKeyUsesItsOwnStatement) {
  const auto reader = prepare({.one = "SELECT name, 1 AS statement FROM p WHERE id = :id",
                               .many = "SELECT id AS key, 2 AS statement, name FROM p WHERE id IN "
                                       "(SELECT value FROM json_each(:ids))",
                               .many_key = "key"});

  EXPECT_EQ(value(*reader, id(1)), R"({"name":"a","statement":1})");
  EXPECT_THAT(values(*reader, {id(1), id(2)}),
              ElementsAre(R"({"name":"a","statement":2})", R"({"name":"b","statement":2})"));
}

TEST_F(SqliteLoadMany, RowsAreGroupedByKeyInTheOrderOfTheQuery) {
  execute("CREATE TABLE r(product, stars); INSERT INTO r VALUES (1, 5), (2, 1), (1, 3)");
  const auto reader =
      prepare({.one = "SELECT stars FROM r WHERE product = :id ORDER BY stars",
               .rows = true,
               .many = "SELECT product, stars FROM r WHERE product IN (SELECT value "
                       "FROM json_each(:ids)) ORDER BY stars",
               .many_key = "product"});

  EXPECT_THAT(values(*reader, {id(1), id(2), id(3)}),
              ElementsAre(R"([{"stars":3},{"stars":5}])", R"([{"stars":1}])", "[]"));
  EXPECT_EQ(reader->queries(), 1U);
}

TEST_F(SqliteLoadMany, ThousandsOfKeysAreAskedInBoundedQueries) {
  execute(
      "WITH RECURSIVE i(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM i LIMIT 5000)"
      "INSERT INTO p SELECT x, 'n' || x FROM i");
  const auto reader = prepare({.one = kOne, .many = kMany, .many_key = "id"});
  std::vector<SqlParameters> keys;
  for (std::int64_t i = 100; i < 2600; ++i) keys.push_back(id(i));

  const auto all = values(*reader, keys);

  EXPECT_EQ(reader->queries(), 3U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string n = std::to_string(i + 100);
    std::string row = R"({"id":)";
    row.append(n).append(R"(,"name":"n)").append(n).append(R"("})");
    ASSERT_EQ(all[i], row);
  }
}

TEST_F(SqliteLoadMany, WithoutAStatementForManyAllKeysShareOneSnapshot) {
  // Counts the rows, and then up to the key, which takes its time for a large one.
  (void)database({.query_timeout = std::chrono::minutes{1}});  // on any machine
  const auto reader = prepare(
      "SELECT (SELECT count(*) FROM p) AS rows WHERE (WITH RECURSIVE n(i) AS (SELECT 1 "
      "UNION ALL SELECT i + 1 FROM n LIMIT :id) SELECT max(i) FROM n)");
  std::promise<std::vector<Loaded<std::string>>> promise;
  auto future = promise.get_future();
  reader->load({id(1), id(2'000'000), id(2)},
               [&](auto results) { promise.set_value(std::move(results)); });
  while (reader->queries() < 2) std::this_thread::yield();

  execute("INSERT INTO p VALUES (4, 'd')");

  const auto during = future.get();
  EXPECT_EQ(shown(during[0]), R"({"rows":4})");
  EXPECT_EQ(shown(during[1]), R"({"rows":4})");
  EXPECT_EQ(shown(during[2]), R"({"rows":4})");
  EXPECT_EQ(value(*reader, id(1)), R"({"rows":5})");
}

TEST_F(SqliteLoadMany, AStatementThatLosesTheMarkOfJsonIsFoundOutAndNotUsed) {
  const auto reader =
      prepare({.one = "SELECT json_array(name) AS list FROM p WHERE id = :id",
               .many = "SELECT id, json_array(name) AS list FROM p WHERE id IN (SELECT value FROM "
                       "json_each(:ids)) ORDER BY name || 'x'",
               .many_key = "id"});

  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(values(*reader, {id(1), id(2), id(7)}),
                ElementsAre(R"({"list":["a"]})", R"({"list":["b"]})", "absent"));
  }
}

TEST_F(SqliteLoadMany, StatementsThatAgreeAreComparedOnce) {
  const auto reader =
      prepare({.one = "SELECT json_array(name) AS list FROM p WHERE id = :id",
               .many = "SELECT id, json_array(name) AS list FROM p WHERE id IN (SELECT value FROM "
                       "json_each(:ids))",
               .many_key = "id"});
  (void)values(*reader, {id(1), id(2), id(3)});
  ASSERT_EQ(reader->queries(), 2U);

  (void)values(*reader, {id(1), id(2), id(3)});

  EXPECT_EQ(reader->queries(), 3U);
}

TEST_F(SqliteLoadMany, NamedJsonColumnsNeedNoComparison) {
  const auto reader =
      prepare({.one = "SELECT json_array(name) AS list FROM p WHERE id = :id",
               .many = "SELECT id, json_array(name) AS list FROM p WHERE id IN (SELECT value FROM "
                       "json_each(:ids)) ORDER BY name || 'x'",
               .many_key = "id",
               .json_columns = {"list"}});

  EXPECT_THAT(values(*reader, {id(1), id(2)}),
              ElementsAre(R"({"list":["a"]})", R"({"list":["b"]})"));
  EXPECT_EQ(reader->queries(), 1U);
}

TEST_F(SqliteLoadMany, ARowThatCannotBecomeJsonFailsItsOwnKeyOnly) {
  execute("UPDATE p SET name = CAST(x'e9' AS TEXT) WHERE id = 2");
  const auto reader = prepare({.one = kOne, .many = kMany, .many_key = "id"});

  const auto all = values(*reader, {id(1), id(2), id(3)});

  EXPECT_EQ(all[0], R"({"id":1,"name":"a"})");
  EXPECT_THAT(all[1], HasSubstr("not UTF-8"));
  EXPECT_EQ(all[2], R"({"id":3,"name":"c"})");
}

TEST_F(SqliteLoadMany, ARowThatFailsTheQueryFailsItsOwnKeyOnly) {
  execute("UPDATE p SET name = 'no json' WHERE id = 2; UPDATE p SET name = '[]' WHERE id <> 2");
  const auto reader = prepare(
      {.one = "SELECT id, json(name) AS data FROM p WHERE id = :id",
       .many =
           "SELECT id, json(name) AS data FROM p WHERE id IN (SELECT value FROM json_each(:ids))",
       .many_key = "id"});

  const auto all = values(*reader, {id(1), id(2), id(3)});

  EXPECT_EQ(all[0], R"({"id":1,"data":[]})");
  EXPECT_THAT(all[1], HasSubstr("malformed JSON"));
  EXPECT_EQ(all[2], R"({"id":3,"data":[]})");
}

TEST_F(SqliteLoadMany, TwoRowsForOneKeyAreAnErrorForItAlone) {
  execute("CREATE TABLE d(id, n); INSERT INTO d VALUES (1, 1), (2, 2), (2, 3)");
  const auto reader =
      prepare({.one = "SELECT id, n FROM d WHERE id = :id",
               .many = "SELECT id, n FROM d WHERE id IN (SELECT value FROM json_each(:ids))",
               .many_key = "id"});

  const auto all = values(*reader, {id(1), id(2)});

  EXPECT_EQ(all[0], R"({"id":1,"n":1})");
  EXPECT_THAT(all[1], HasSubstr("more than one row"));
}

// Whatever column and keys: many keys together get what each gets alone.
class SqliteLoadManyAgrees : public SqliteTest, public testing::WithParamInterface<const char*> {};

TEST_P(SqliteLoadManyAgrees, WithOneByOne) {
  execute("CREATE TABLE p(k " + std::string{GetParam()} + ", name TEXT)");
  execute(
      "INSERT INTO p VALUES (42, 'int'), ('abc', 'lower'), ('07', 'octal'), (2.5, 'real'),"
      "('x ', 'blank'), ('', 'empty'), ('a' || char(0) || 'b', 'zero'), (-9223372036854775808, "
      "'least'),"
      "('ä', 'umlaut'), (NULL, 'null'), ('1e2', 'hundred'), (100.0, 'real hundred')");
  const std::vector<SqlValue> pool{std::int64_t{42},
                                   std::string{"42"},
                                   std::string{"042"},
                                   std::string{"abc"},
                                   std::string{"ABC"},
                                   std::string{"aBc"},
                                   std::string{"07"},
                                   std::int64_t{7},
                                   std::string{"7"},
                                   2.5,
                                   std::string{"2.5"},
                                   std::string{"x"},
                                   std::string{"x "},
                                   std::string{},
                                   std::string("a\0b", 3),
                                   std::string{"a"},
                                   std::int64_t{-9223372036854775807 - 1},
                                   std::string{"ä"},
                                   std::string{"Ä"},
                                   std::string{"\xff"},
                                   SqlValue{},
                                   std::string{"1e2"},
                                   std::string{"100"},
                                   std::int64_t{100},
                                   100.0,
                                   std::string{"\"quote\\"},
                                   std::string{" 42"}};
  const auto alone = prepare("SELECT name FROM p WHERE k = :id ORDER BY rowid LIMIT 1");
  const auto together =
      prepare({.one = "SELECT name FROM p WHERE k = :id ORDER BY rowid LIMIT 1",
               .many = "SELECT k, name FROM p WHERE k IN (SELECT value FROM json_each(:ids)) "
                       "GROUP BY k HAVING rowid = min(rowid)",
               .many_key = "k"});
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};

  for (int round = 0; round < 60; ++round) {
    std::vector<SqlParameters> keys;
    for (const SqlValue& key : pool) {
      if (random() % 3 == 0) keys.push_back({{"id", key}});
    }
    if (keys.empty()) continue;
    std::shuffle(keys.begin(), keys.end(), random);

    const auto got = values(*together, keys);

    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(got[i], value(*alone, keys[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Columns, SqliteLoadManyAgrees,
                         testing::Values("", "INTEGER", "REAL", "NUMERIC", "TEXT",
                                         "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "BLOB"));

TEST_F(SqliteLoadMany, LargeValuesThatAreReadOneByOneComeInParts) {
  add_large(8, 6 << 20);
  const auto reader = prepare(kOne);

  EXPECT_THAT(load_in_parts(*reader, 8), ElementsAre(3, 3, 2));
  EXPECT_EQ(reader->queries(), 8U);
}

TEST_F(SqliteLoadMany, LargeValuesOfOneQueryComeInPartsAndFewerAreThenAskedAtOnce) {
  add_large(8, 6 << 20);
  const auto reader = prepare({.one = kOne, .many = kMany, .many_key = "id"});

  const auto parts = load_in_parts(*reader, 8);

  // The first query finds the values too large, and is asked again for fewer keys.
  EXPECT_THAT(parts, ElementsAre(3, 3, 2));
  EXPECT_LE(reader->queries(), 5U);
}

TEST_F(SqliteLoadMany, SmallValuesBehindLargeOnesAreAskedTogetherAgain) {
  add_large(6, 6 << 20);
  execute(
      "WITH RECURSIVE i(x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM i LIMIT 1000)"
      "INSERT INTO p SELECT x, 'small' FROM i");
  const auto reader = prepare({.one = kOne, .many = kMany, .many_key = "id"});
  (void)load_in_parts(*reader, 6);
  std::vector<SqlParameters> keys;
  for (std::int64_t key = 1000; key < 2000; ++key) keys.push_back(id(key));
  for (int i = 0; i < 2; ++i) (void)values(*reader, keys);
  const std::uint64_t before = reader->queries();

  (void)values(*reader, keys);

  EXPECT_EQ(reader->queries() - before, 1U);
}

// 'A' and 'a' are asked alone, in their places among the others.
TEST_F(SqliteLoadMany, KeysThatAreAskedAloneComeInPartsToo) {
  execute(
      "CREATE TABLE t(id TEXT, name TEXT);"
      "INSERT INTO t SELECT value, printf('%.*c', 6000000, 'x') FROM "
      "json_each('[\"k\",\"A\",\"l\",\"a\",\"m\"]')");
  const auto reader = prepare({.one = "SELECT id, name FROM t WHERE id = :id",
                               .many = "SELECT id, name FROM t WHERE id IN (SELECT value "
                                       "FROM json_each(:ids))",
                               .many_key = "id"});
  const std::vector<SqlParameters> keys{id("k"), id("A"), id("l"), id("a"), id("m")};

  const auto first = load(*reader, keys);
  const auto second = load(*reader, {keys[3], keys[4]});

  ASSERT_EQ(first.size(), 3U);
  EXPECT_TRUE(first[1]->value().starts_with(R"({"id":"A",)"));
  EXPECT_TRUE(first[2]->value().starts_with(R"({"id":"l",)"));
  ASSERT_EQ(second.size(), 2U);
  EXPECT_TRUE(second[0]->value().starts_with(R"({"id":"a",)"));
}

}  // namespace
}  // namespace larder
