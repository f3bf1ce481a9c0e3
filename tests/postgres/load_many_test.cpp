// Many keys: the same answers as alone, in one round trip.
#include <gmock/gmock.h>

#include <filesystem>
#include <future>
#include <utility>

#include "postgres/postgres_proxy.hpp"
#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PostgresLoadingMany : public PostgresTest {
 protected:
  static SqlRead products() {
    return {.one = "SELECT name FROM p WHERE id = :id",
            .many = "SELECT id, name FROM p WHERE id = ANY(:ids)",
            .many_key = "id"};
  }
  static std::vector<SqlParameters> keys(int count) {
    std::vector<SqlParameters> all;
    for (int i = 1; i <= count; ++i) all.push_back(id(i));
    return all;
  }
};

TEST_F(PostgresLoadingMany, AHundredKeysAreOneQuery) {
  execute("CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 100) n");
  const auto reader = prepare(products());

  const auto all = values(*reader, keys(100));

  EXPECT_EQ(reader->queries(), 1);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i - 1)], R"({"name":"n)" + std::to_string(i) + R"("})");
  }
}

TEST_F(PostgresLoadingMany, WithoutAStatementForManyTheyAreOnePipeline) {
  execute("CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 90) n");
  const auto reader = prepare("SELECT name FROM p WHERE id = :id");

  const auto all = values(*reader, keys(100));

  EXPECT_EQ(all[0], R"({"name":"n1"})");
  EXPECT_EQ(all[89], R"({"name":"n90"})");
  EXPECT_EQ(all[90], "absent");
  EXPECT_EQ(reader->queries(), 100);
}

// On the wire: no answer is passed on before all hundred are asked for, so that what comes then
// is the one round trip that they cost.
TEST_F(PostgresLoadingMany, AHundredKeysAreOneRoundTripOnTheWire) {
  execute("CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 100) n");
  const std::filesystem::path directory = unprivileged_directory();
  {
    PostgresProxy proxy{directory, server()->directory()};
    const auto shop = postgres(
        runtime_, "postgresql:///" + name_ + "?host=" + directory.string() + "&user=larder",
        {.connections = 1});
    for (const auto& [read, statements] :
         {std::pair{SqlRead{.one = products().one}, 100U}, std::pair{products(), 1U}}) {
      const auto reader = shop->prepare(read, {"id"}).value();
      ASSERT_EQ(values(*reader, keys(2))[1], R"({"name":"n2"})");  // now they are prepared
      proxy.hold_answers();

      auto all = std::async(std::launch::async, [&] { return values(*reader, keys(100)); });

      EXPECT_TRUE(proxy.executed(statements));
      EXPECT_EQ(proxy.release(), statements);
      EXPECT_EQ(all.get()[99], R"({"name":"n100"})");
      EXPECT_EQ(proxy.release(), statements) << "nothing was asked for later";
    }
  }
  std::filesystem::remove_all(directory);
}

TEST_F(PostgresLoadingMany, OneBadKeyFailsAlone) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (1,'a'), (2,'b')");
  for (const SqlRead& read : {products(), SqlRead{.one = products().one}}) {
    const auto all = values(*prepare(read), {id(1), id("abc"), id(2), id("9999999999"), id(3)});

    EXPECT_EQ(all[0], R"({"name":"a"})");
    EXPECT_THAT(all[1], HasSubstr("invalid input syntax"));
    EXPECT_EQ(all[2], R"({"name":"b"})");
    EXPECT_THAT(all[3], HasSubstr("out of range"));
    EXPECT_EQ(all[4], "absent");
  }
}

TEST_F(PostgresLoadingMany, ARowThatCannotBeReadFailsAlone) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (1,'1'), (2,'x'), (3,'3')");
  const auto reader = prepare({.one = "SELECT name::int AS n FROM p WHERE id = :id",
                               .many = "SELECT id, name::int AS n FROM p WHERE id = ANY(:ids)",
                               .many_key = "id"});

  const auto all = values(*reader, {id(1), id(2), id(3)});

  EXPECT_EQ(all[0], R"({"n":1})");
  EXPECT_THAT(all[1], HasSubstr("invalid input syntax"));
  EXPECT_EQ(all[2], R"({"n":3})");
}

TEST_F(PostgresLoadingMany, KeysThatTheDatabaseTakesForTheSameGetTheSame) {
  execute(
      "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
      "CREATE TABLE p(id text COLLATE nocase, name text); INSERT INTO p VALUES ('abc', 'found')");

  EXPECT_THAT(
      values(*prepare(products()), {id("ABC"), id("abc"), id("x"), id("abc")}),
      ElementsAre(R"({"name":"found"})", R"({"name":"found"})", "absent", R"({"name":"found"})"));
}

TEST_F(PostgresLoadingMany, KeysWithTheirOwnSpellingOfANumberAreFound) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (42, 'found')");

  EXPECT_THAT(values(*prepare(products()), {id("042"), id("42"), id(7)}),
              ElementsAre(R"({"name":"found"})", R"({"name":"found"})", "absent"));
}

TEST_F(PostgresLoadingMany, TextKeysOfAnyContentAreTakenAsTheyAre) {
  execute(R"(CREATE TABLE p(id text, name text); INSERT INTO p VALUES ('a"b\c', '1'), ('{,}', '2'),
          ('NULL', '3'), ('', '4'))");

  EXPECT_THAT(
      values(*prepare(products()), {id(R"(a"b\c)"), id("{,}"), id("NULL"), id(""), id("null")}),
      ElementsAre(R"({"name":"1"})", R"({"name":"2"})", R"({"name":"3"})", R"({"name":"4"})",
                  "absent"));
}

TEST_F(PostgresLoadingMany, ArraysOfRowsComeForEachKey) {
  execute("CREATE TABLE r(p int, t text); INSERT INTO r VALUES (1,'a'), (2,'x'), (1,'b')");
  const auto reader = prepare({.one = "SELECT t FROM r WHERE p = :id ORDER BY t",
                               .rows = true,
                               .many = "SELECT p AS id, t FROM r WHERE p = ANY(:ids) ORDER BY t",
                               .many_key = "id"});

  EXPECT_THAT(values(*reader, {id(1), id(2), id(3)}),
              ElementsAre(R"([{"t":"a"},{"t":"b"}])", R"([{"t":"x"}])", "[]"));
}

TEST_F(PostgresLoadingMany, LoadsThatWaitForAConnectionTravelTogether) {
  execute(
      "CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 60) n;"
      "SELECT pg_advisory_lock(1)");
  database({.connections = 1});
  const auto slow = prepare("SELECT pg_advisory_xact_lock(:id)::text AS locked");
  const auto reader = prepare(products());
  auto first = begin_load(*slow, {id(1)});
  PostgresClient other{url()};
  while (other.execute(
             "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != "1") {
  }

  std::vector<std::future<std::vector<Loaded<std::string>>>> loads;
  for (int i = 1; i <= 60; ++i) loads.push_back(begin_load(*reader, {id(i)}));
  execute("SELECT pg_advisory_unlock(1)");

  EXPECT_EQ(shown(first.get().front()), R"({"locked":""})");
  for (int i = 1; i <= 60; ++i) {
    EXPECT_EQ(shown(loads[static_cast<std::size_t>(i - 1)].get().front()),
              R"({"name":"n)" + std::to_string(i) + R"("})");
  }
  EXPECT_EQ(reader->queries(), 1);
}

TEST_F(PostgresLoadingMany, ThousandsOfKeysAreAFewQueries) {
  execute("CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 2500) n");
  const auto reader = prepare(products());

  const auto all = values(*reader, keys(2600));

  EXPECT_EQ(all[2499], R"({"name":"n2500"})");
  EXPECT_EQ(all[2599], "absent");
  EXPECT_EQ(reader->queries(), 3);
}

}  // namespace
}  // namespace larder
