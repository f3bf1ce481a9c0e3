// One key: what a row becomes.
#include <gmock/gmock.h>

#include "larder/cache.hpp"
#include "larder/sql.hpp"
#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

class PostgresLoading : public PostgresTest {
 protected:
  // The row of a statement that needs no table.
  std::string row(const std::string& columns, std::vector<std::string> json = {}) {
    return value(*prepare({.one = "SELECT " + columns + " WHERE :id::int = 1",
                           .json_columns = std::move(json)}),
                 id(1));
  }
};

TEST_F(PostgresLoading, ARowBecomesAnObjectWithProperTypes) {
  EXPECT_EQ(row("42 AS id, 'Tea' AS name, 2.5::float8 AS price, NULL::text AS note, true AS sold"),
            R"({"id":42,"name":"Tea","price":2.5,"note":null,"sold":true})");
}

TEST_F(PostgresLoading, NumbersKeepEveryDigit) {
  EXPECT_EQ(row("9223372036854775807 AS most, (-9223372036854775808)::int8 AS least, "
                "123456789012345678901234567890.1230 AS wide, -0.50 AS half, 7::int2 AS small"),
            R"({"most":9223372036854775807,"least":-9223372036854775808,)"
            R"("wide":123456789012345678901234567890.1230,"half":-0.50,"small":7})");
}

TEST_F(PostgresLoading, DoublesReadBackAsTheSameBits) {
  EXPECT_EQ(row("0.1::float8 + 0.2::float8 AS sum, 5e-324::float8 AS least, 3::float8 AS three, "
                "1e300::float8 AS large, 0.1::float4 AS single"),
            R"({"sum":0.30000000000000004,"least":5e-324,"three":3,"large":1e+300,"single":0.1})");
}

TEST_F(PostgresLoading, WhatIsNoNumberInJsonIsAStringAsInToJson) {
  EXPECT_EQ(row("'NaN'::float8 AS a, 'Infinity'::float8 AS b, '-Infinity'::numeric AS c"),
            R"({"a":"NaN","b":"Infinity","c":"-Infinity"})");
}

TEST_F(PostgresLoading, TimesAreIso8601) {
  execute("ALTER DATABASE " + name_ + " SET TimeZone = 'Asia/Kolkata'");
  EXPECT_EQ(row("'2024-02-01 03:04:05.678+00'::timestamptz AS moment, '2024-02-01'::date AS day, "
                "'2024-02-01 03:04:05'::timestamp AS local, 'infinity'::timestamptz AS never, "
                "'0044-03-15 12:00 BC'::timestamp AS ides"),
            R"({"moment":"2024-02-01T08:34:05.678+05:30","day":"2024-02-01",)"
            R"("local":"2024-02-01T03:04:05","never":"infinity","ides":"0044-03-15T12:00:00 BC"})");
}

TEST_F(PostgresLoading, AWholeHourOfAnOffsetHasItsMinutes) {
  execute("ALTER DATABASE " + name_ + " SET TimeZone = 'UTC'");
  EXPECT_EQ(row("'2024-02-01 03:04:05+02'::timestamptz AS moment"),
            R"({"moment":"2024-02-01T01:04:05+00:00"})");
}

TEST_F(PostgresLoading, JsonIsEmbeddedAndItsNumbersStay) {
  EXPECT_EQ(row(R"('{"a": [1, 2.50]}'::json AS j, '{"b":12345678901234567890}'::jsonb AS b,)"
                R"( '[1]' AS text, '[2]' AS named)",
                {"named"}),
            R"({"j":{"a": [1, 2.50]},"b":{"b": 12345678901234567890},"text":"[1]","named":[2]})");
}

TEST_F(PostgresLoading, ByteaIsBase64) {
  EXPECT_EQ(row(R"('\x0001fffefd'::bytea AS bytes, ''::bytea AS none)"),
            R"({"bytes":"AAH//v0=","none":""})");
}

TEST_F(PostgresLoading, ArraysAreArrays) {
  EXPECT_EQ(row(R"(ARRAY[1,NULL,3] AS n, ARRAY['a,b','c"d\e','NULL',NULL,''] AS t,)"
                R"( ARRAY[[1.50,2],[3,4]] AS m, '{}'::int[] AS none, '[0:1]={7,8}'::int8[] AS at,)"
                R"( ARRAY['{"a":1}'::jsonb] AS j, ARRAY[true,false] AS b,)"
                R"( ARRAY['2024-01-01 00:00'::timestamp] AS times)"),
            R"({"n":[1,null,3],"t":["a,b","c\"d\\e","NULL",null,""],)"
            R"("m":[[1.50,2],[3,4]],"none":[],"at":[7,8],"j":[{"a": 1}],"b":[true,false],)"
            R"("times":["2024-01-01T00:00:00"]})");
}

TEST_F(PostgresLoading, TypesThatSomebodyMadeAreUnderstood) {
  execute(
      "CREATE TYPE mood AS ENUM ('glad', 'so so'); CREATE DOMAIN price AS numeric;"
      "CREATE DOMAIN net AS price; CREATE TYPE pair AS (a int, b text)");

  EXPECT_EQ(row("'so so'::mood AS mood, ARRAY['glad','so so']::mood[] AS moods, 2.50::net AS net, "
                "ARRAY[2.50]::net[] AS nets, ROW(1,'x')::pair AS pair"),
            R"raw({"mood":"so so","moods":["glad","so so"],"net":2.50,)raw"
            R"raw("nets":[2.50],"pair":"(1,x)"})raw");
}

TEST_F(PostgresLoading, UuidAndOtherTypesAreTheirText) {
  EXPECT_EQ(row("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid AS u, '10.0.0.1'::inet AS ip, "
                "'1 day'::interval AS span"),
            R"({"u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","ip":"10.0.0.1","span":"1 day"})");
}

TEST_F(PostgresLoading, NoRowIsAbsentAndASecondIsAnError) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (1,'a'), (2,'b'), (2,'c')");
  const auto reader = prepare("SELECT name FROM p WHERE id = :id");

  EXPECT_EQ(value(*reader, id(1)), R"({"name":"a"})");
  EXPECT_EQ(value(*reader, id(3)), "absent");
  EXPECT_THAT(value(*reader, id(2)), HasSubstr("more than one row for a key"));
}

TEST_F(PostgresLoading, AllRowsAreAnArrayWhenAskedFor) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (2,'b'), (2,'c')");
  const auto reader =
      prepare({.one = "SELECT name FROM p WHERE id = :id ORDER BY name", .rows = true});

  EXPECT_EQ(value(*reader, id(2)), R"([{"name":"b"},{"name":"c"}])");
  EXPECT_EQ(value(*reader, id(3)), "[]");
}

TEST_F(PostgresLoading, KeysBindByTheColumnsType) {
  execute(
      "CREATE TABLE t(code text PRIMARY KEY, n int8, u uuid);"
      "INSERT INTO t VALUES ('042', 42, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')");

  EXPECT_EQ(value(*prepare("SELECT n FROM t WHERE code = :id"), id("042")), R"({"n":42})");
  EXPECT_EQ(value(*prepare("SELECT n FROM t WHERE code = :id"), id("x' OR 'a'='a")), "absent");
}

TEST_F(PostgresLoading, AKeyThatDoesNotFitTheColumnIsItsOwnError) {
  execute("CREATE TABLE t(n int); INSERT INTO t VALUES (1)");
  const auto reader = prepare("SELECT n FROM t WHERE n = :id");

  const auto loaded = begin_load(*reader, {id("abc")}).get().front();

  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::kBadValue);
  EXPECT_THAT(loaded.error().message, HasSubstr("invalid input syntax for type integer"));
  EXPECT_THAT(loaded.error().message, HasSubstr("22P02"));
  EXPECT_THAT(value(*reader, id(std::string{"a\0b", 3})), HasSubstr("zero byte"));
  EXPECT_THAT(value(*reader, id("\xff")), HasSubstr("not UTF-8"));
}

TEST_F(PostgresLoading, AValueLargerThanTheLimitIsAnError) {
  database({.max_value = ByteCount{1000}});

  EXPECT_THAT(row("repeat('x', 2000) AS text"), HasSubstr("larger than max_value, 1000 bytes"));
}

TEST_F(PostgresLoading, ATypedCacheReadsThroughIt) {
  execute("CREATE TABLE p(id int8 PRIMARY KEY, name text); INSERT INTO p VALUES (42, 'Tea')");
  auto shop = postgres(runtime_, url());
  {
    Cache<std::int64_t, std::string> names{
        runtime_,
        {.name = "product",
         .source = sql<std::int64_t, std::string>(shop, "SELECT name FROM p WHERE id = $1")}};

    EXPECT_EQ(names.get(42).value(), R"({"name":"Tea"})");
    EXPECT_TRUE(names.get(43).absent());
  }
}

}  // namespace
}  // namespace larder
