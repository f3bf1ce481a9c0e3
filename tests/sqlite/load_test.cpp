// One key: what a row becomes.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

class SqliteLoad : public SqliteTest {
 protected:
  // The row of a statement that needs no table.
  std::string row(const std::string& columns, std::vector<std::string> json = {}) {
    execute("CREATE TABLE IF NOT EXISTS t(x)");
    return value(
        *prepare({.one = "SELECT " + columns + " WHERE :id", .json_columns = std::move(json)}),
        id(1));
  }
};

TEST_F(SqliteLoad, ARowBecomesAnObjectWithProperTypes) {
  EXPECT_EQ(row("42 AS id, 'Tea' AS name, 2.5 AS price, NULL AS note"),
            R"({"id":42,"name":"Tea","price":2.5,"note":null})");
}

TEST_F(SqliteLoad, IntegersStayExactOverAll64Bits) {
  EXPECT_EQ(row("9223372036854775807 AS most, -9223372036854775807 - 1 AS least, 9007199254740993 "
                "AS odd"),
            R"({"most":9223372036854775807,"least":-9223372036854775808,"odd":9007199254740993})");
}

TEST_F(SqliteLoad, DoublesReadBackAsTheSameBits) {
  EXPECT_EQ(
      row("0.1 + 0.2 AS sum, 5e-324 AS least, 1.7976931348623157e308 AS most, 3.0 AS three, -0.0 "
          "AS zero"),
      R"({"sum":0.30000000000000004,"least":5e-324,"most":1.7976931348623157e+308,"three":3.0,"zero":-0.0})");
}

TEST_F(SqliteLoad, AnInfiniteRealIsAnErrorThatNamesTheColumn) {
  EXPECT_THAT(row("9e999 AS price"), HasSubstr("column price is infinite"));
}

TEST_F(SqliteLoad, ABlobIsBase64) {
  EXPECT_EQ(
      row("x'' AS none, x'00' AS one, x'0001' AS two, x'fffefd' AS three, x'00010203' AS four"),
      R"({"none":"","one":"AA==","two":"AAE=","three":"//79","four":"AAECAw=="})");
}

TEST_F(SqliteLoad, TextIsEscapedAndUnicodeKept) {
  EXPECT_EQ(row("'a\"b\\c' || char(10) || char(1) || 'Gänsefüßchen 😀' AS text"),
            R"({"text":"a\"b\\c\n\u0001Gänsefüßchen 😀"})");
}

TEST_F(SqliteLoad, TextOfAUtf16DatabaseIsTheSame) {
  execute(
      "PRAGMA encoding = 'UTF-16'; CREATE TABLE p(id INTEGER PRIMARY KEY, name, tags JSON);"
      "INSERT INTO p VALUES (1, 'Gänsefüßchen 😀', '[\"ä\"]')");

  EXPECT_EQ(writer().ask("PRAGMA encoding"), "UTF-16le");
  EXPECT_EQ(value(*prepare("SELECT name, tags FROM p WHERE id = :id"), id(1)),
            R"({"name":"Gänsefüßchen 😀","tags":["ä"]})");
}

TEST_F(SqliteLoad, TextWithAZeroByteIsKeptWhole) {
  EXPECT_EQ(row("'a' || char(0) || 'b' AS text"), R"({"text":"a\u0000b"})");
}

TEST_F(SqliteLoad, TextThatIsNotUtf8IsAnErrorThatNamesColumnAndByte) {
  EXPECT_THAT(row("CAST(x'636166e9' AS TEXT) AS name"),
              HasSubstr("column name holds text that is not UTF-8, at byte 3"));
}

TEST_F(SqliteLoad, JsonThatTheEngineMadeIsEmbedded) {
  EXPECT_EQ(row("json_array(1, 'x') AS list, json_object('a', json('[true,null]')) AS object"),
            R"({"list":[1,"x"],"object":{"a":[true,null]}})");
}

TEST_F(SqliteLoad, AJsonSubqueryIsEmbedded) {
  execute("CREATE TABLE reviews(product_id, stars); INSERT INTO reviews VALUES (1, 5), (1, 3)");

  EXPECT_EQ(row("(SELECT json_group_array(json_object('stars', stars)) FROM reviews) AS reviews"),
            R"({"reviews":[{"stars":5},{"stars":3}]})");
}

TEST_F(SqliteLoad, ColumnsDeclaredJsonAreEmbedded) {
  execute(
      "CREATE TABLE p(id INTEGER PRIMARY KEY, tags JSON, extra jsonb, plain TEXT);"
      "INSERT INTO p VALUES (1, '[1,2]', '{\"a\":1}', '[1,2]')");

  EXPECT_EQ(value(*prepare("SELECT tags, extra, plain FROM p WHERE id = :id"), id(1)),
            R"({"tags":[1,2],"extra":{"a":1},"plain":"[1,2]"})");
}

TEST_F(SqliteLoad, ColumnsNamedAsJsonAreEmbeddedAndNullStaysNull) {
  EXPECT_EQ(row("'{\"a\": 1}' AS data, NULL AS none, 7 AS number", {"data", "none", "number"}),
            R"({"data":{"a": 1},"none":null,"number":7})");
}

TEST_F(SqliteLoad, TextThatIsNotJsonInAJsonColumnIsAnErrorAndNoBrokenDocument) {
  for (const char* bad : {"'{\"a\":'", "'[1]]'", "''", "'nul'", "'[1],[2]'", "char(10)"}) {
    EXPECT_THAT(row(std::string{bad} + " AS data", {"data"}),
                HasSubstr("column data should hold JSON, but it is not JSON"))
        << bad;
  }
}

TEST_F(SqliteLoad, JsonTooDeepOrNotUtf8IsAnError) {
  EXPECT_THAT(row("printf('%.*c', 200, '[') || printf('%.*c', 200, ']') AS data", {"data"}),
              HasSubstr("it is not JSON that larder reads: more than 128 levels deep"));
  EXPECT_THAT(row("CAST(x'22e922' AS TEXT) AS data", {"data"}), HasSubstr("not JSON"));
}

TEST_F(SqliteLoad, ABlobInAJsonColumnIsAnErrorThatSaysWhatToSelect) {
  EXPECT_THAT(row("x'5b5d' AS data", {"data"}), HasSubstr("select json(…)"));
}

TEST_F(SqliteLoad, NoRowIsAbsent) {
  execute("CREATE TABLE p(id INTEGER PRIMARY KEY)");

  EXPECT_EQ(value(*prepare("SELECT id FROM p WHERE id = :id"), id(1)), "absent");
}

TEST_F(SqliteLoad, ASecondRowIsAnErrorUnlessAllRowsAreWanted) {
  execute("CREATE TABLE p(id, n); INSERT INTO p VALUES (1, 10), (1, 11)");
  const std::string sql = "SELECT n FROM p WHERE id = :id ORDER BY n";

  EXPECT_THAT(value(*prepare(sql), id(1)), HasSubstr("more than one row"));
  EXPECT_EQ(value(*prepare({.one = sql, .rows = true}), id(1)), R"([{"n":10},{"n":11}])");
  EXPECT_EQ(value(*prepare({.one = sql, .rows = true}), id(2)), "[]");
}

TEST_F(SqliteLoad, ParametersAreBoundByTypeAndNeverPasted) {
  execute("CREATE TABLE p(a, b); INSERT INTO p VALUES (1, 'x'), ('1', 'y')");
  const auto reader =
      prepare({.one = "SELECT b, typeof(:a) AS type FROM p WHERE a = :a AND :b = :b"}, {"a", "b"});

  EXPECT_EQ(value(*reader, {{"a", std::int64_t{1}}, {"b", std::string{}}}),
            R"({"b":"x","type":"integer"})");
  EXPECT_EQ(value(*reader, {{"a", std::string{"1"}}, {"b", 1.5}}), R"({"b":"y","type":"text"})");
  EXPECT_EQ(value(*reader, {{"a", std::string{"1' OR 1=1 --"}}, {"b", std::string{}}}), "absent");
}

TEST_F(SqliteLoad, AParameterThatTheKeyLacksIsAnError) {
  execute("CREATE TABLE p(a)");
  const auto reader = prepare({.one = "SELECT a FROM p WHERE a = :a"}, {"a"});

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("gives no value for :a"));
}

TEST_F(SqliteLoad, ValuesAreBounded) {
  execute("CREATE TABLE t(x)");
  database({.max_value = ByteCount{1000}});
  const auto reader = prepare("SELECT printf('%.*c', :id, 'x') AS text");

  EXPECT_EQ(value(*reader, id(900)).size(), 900 + std::string{R"({"text":""})"}.size());
  EXPECT_THAT(value(*reader, id(2000)), HasSubstr("larger than max_value, 1000 bytes"));
  const auto huge = prepare("SELECT hex(zeroblob(:id)) AS text");
  EXPECT_THAT(value(*huge, id(100'000'000)), HasSubstr("larger than"));
}

TEST_F(SqliteLoad, RowsTogetherAreBoundedToo) {
  execute("CREATE TABLE t(x)");
  database({.max_value = ByteCount{1000}});
  const auto reader =
      prepare({.one = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT :id) "
                      "SELECT i, 'some text' AS text FROM n",
               .rows = true});

  EXPECT_THAT(value(*reader, id(1'000'000'000)), HasSubstr("larger than max_value, 1000 bytes"));
}

TEST_F(SqliteLoad, QueriesAreCounted) {
  execute("CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2)");
  const auto reader = prepare("SELECT id FROM p WHERE id = :id");
  EXPECT_EQ(reader->queries(), 0U);

  (void)value(*reader, id(1));
  EXPECT_EQ(reader->queries(), 1U);

  (void)values(*reader, {id(1), id(2), id(3)});
  EXPECT_EQ(reader->queries(), 4U);
}

TEST_F(SqliteLoad, WhatAWriterCommittedIsSeenByTheNextLoad) {
  execute("CREATE TABLE p(id INTEGER PRIMARY KEY, n); INSERT INTO p VALUES (1, 1)");
  const auto reader = prepare("SELECT n FROM p WHERE id = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"n":1})");

  execute("UPDATE p SET n = 2");

  EXPECT_EQ(value(*reader, id(1)), R"({"n":2})");
}

TEST_F(SqliteLoad, NeitherReadersNorAWriterWaitForEachOther) {
  execute("CREATE TABLE p(id INTEGER PRIMARY KEY, n); INSERT INTO p VALUES (1, 1)");
  const auto reader = prepare("SELECT n FROM p WHERE id = :id");

  execute("BEGIN IMMEDIATE; UPDATE p SET n = 2");

  EXPECT_EQ(writer().ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(value(*reader, id(1)), R"({"n":1})");
  execute("COMMIT");
  EXPECT_EQ(value(*reader, id(1)), R"({"n":2})");
}

TEST_F(SqliteLoad, ReadOnlyLeavesTheFileAsItIs) {
  execute("CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1)");
  database({.read_only = true});

  EXPECT_EQ(value(*prepare("SELECT id FROM p WHERE id = :id"), id(1)), R"({"id":1})");
  EXPECT_EQ(writer().ask("PRAGMA journal_mode"), "delete");
}

TEST_F(SqliteLoad, LoadsRunBesideEachOtherOnSeveralThreads) {
  execute(
      "CREATE TABLE p(id INTEGER PRIMARY KEY, n);"
      "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i LIMIT 1000)"
      "INSERT INTO p SELECT x, x * x FROM i");
  const auto reader = prepare("SELECT n FROM p WHERE id = :id");

  std::vector<std::jthread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (std::int64_t i = 1; i <= 200; ++i) {
        if (value(*reader, id(i)) == R"({"n":)" + std::to_string(i * i) + '}') ++right;
      }
    });
  }
  threads.clear();

  EXPECT_EQ(right, 8 * 200);
}

}  // namespace
}  // namespace larder
