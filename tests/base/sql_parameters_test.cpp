#include "base/sql_parameters.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <memory>
#include <random>
#include <set>

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> parameters(std::string_view sql, SqlDialect dialect) {
  std::vector<std::string> texts;
  for (const SqlParameterUse& use : sql_parameters(sql, dialect)) texts.push_back(use.text);
  return texts;
}

std::vector<std::string> in_sqlite(std::string_view sql) {
  return parameters(sql, SqlDialect::kSqlite);
}
std::vector<std::string> in_postgres(std::string_view sql) {
  return parameters(sql, SqlDialect::kPostgres);
}

TEST(SqlParameters, AreFoundInTheirOrder) {
  EXPECT_THAT(in_sqlite("SELECT :b FROM t WHERE a=:a AND b>=:b"), ElementsAre(":b", ":a", ":b"));
  EXPECT_THAT(in_postgres("SELECT :b FROM t WHERE a=:a"), ElementsAre(":b", ":a"));
}

TEST(SqlParameters, SayWhereTheyStand) {
  const auto uses = sql_parameters("SELECT 1\n  WHERE a = :a", SqlDialect::kSqlite);

  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].line, 2U);
  EXPECT_EQ(uses[0].column, 13U);
  EXPECT_EQ(uses[0].name(), "a");
}

TEST(SqlParameters, AreNoneInQuotes) {
  EXPECT_THAT(in_sqlite("SELECT ':a', \":b\", `:c`, [:d], 'it''s :e'"), IsEmpty());
  EXPECT_THAT(in_postgres("SELECT ':a', \":b\", 'it''s :e', '\\' , :f"), ElementsAre(":f"));
}

TEST(SqlParameters, AreNoneInComments) {
  EXPECT_THAT(in_sqlite("SELECT 1 -- :a\n, :b /* :c */ , :d"), ElementsAre(":b", ":d"));
  EXPECT_THAT(in_sqlite("SELECT /* /* :a */ :b"), ElementsAre(":b"));
  EXPECT_THAT(in_postgres("SELECT /* /* :a */ :b */ :c"), ElementsAre(":c"));
}

TEST(SqlParameters, ACastIsNone) {
  EXPECT_THAT(in_postgres("SELECT :a::int, b::text FROM t WHERE c = :c::bigint"),
              ElementsAre(":a", ":c"));
}

TEST(SqlParameters, AnAssignmentOrASliceIsNone) {
  EXPECT_THAT(in_postgres("SELECT f(x := :a), b[1:2], b[:2]"), ElementsAre(":a"));
}

TEST(SqlParameters, EscapesAreThoseOfPostgresEStrings) {
  EXPECT_THAT(in_postgres("SELECT E'it\\' :a', :b"), ElementsAre(":b"));
  EXPECT_THAT(in_postgres("SELECT e'\\\\', :b"), ElementsAre(":b"));
}

TEST(SqlParameters, DollarQuotesHideAnything) {
  EXPECT_THAT(in_postgres("SELECT $$ :a ' $$, $x$ :b $$ :c $x$, :d"), ElementsAre(":d"));
}

TEST(SqlParameters, OtherKindsAreShownAsTheyStand) {
  EXPECT_THAT(in_sqlite("SELECT ?, ?2, @a, $b"), ElementsAre("?", "?2", "@a", "$b"));
  EXPECT_THAT(in_postgres("SELECT $1, a ? 'b', @ -5"), ElementsAre("$1"));
}

TEST(SqlParameters, WhatIsLeftOpenReachesToTheEnd) {
  for (const char* sql : {"SELECT ' :a", "SELECT \" :a", "SELECT /* :a", "SELECT -- :a"}) {
    EXPECT_THAT(in_sqlite(sql), IsEmpty()) << sql;
    EXPECT_THAT(in_postgres(sql), IsEmpty()) << sql;
  }
  EXPECT_THAT(in_sqlite("SELECT [ :a"), IsEmpty());
  EXPECT_THAT(in_postgres("SELECT $$ :a"), IsEmpty());
  EXPECT_THAT(in_sqlite("SELECT :"), IsEmpty());
  EXPECT_THAT(in_postgres("SELECT E'\\"), IsEmpty());
}

// The names that SQLite itself finds (numbers, as in ?7, have none); nullopt when
// it does not take the statement.
std::optional<std::set<std::string>> asked_of_sqlite(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code =
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, &tail);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner{statement, sqlite3_finalize};
  if (code != SQLITE_OK || statement == nullptr || tail != sql.data() + sql.size()) {
    return std::nullopt;
  }
  std::set<std::string> names;
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    if (name != nullptr && name[0] != '?') names.insert(name);
  }
  return names;
}

TEST(SqlParametersProperty, AreThoseThatSqliteFinds) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  sqlite3* opened = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &opened), SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database{opened, sqlite3_close};
  constexpr std::string_view kPieces[] = {":a", ":b1", "'",  "\"",  "''", "1",        ",",  " ",
                                          "\n", "--",  "/*", "*/",  ":",  "::",       "x",  "AS",
                                          "$c", "@d",  "?",  "[",   "]",  "`",        "(",  ")",
                                          "||", "-",   "/",  "\\'", "e",  "\xc3\xa9", ":9", "*"};
  int taken = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string sql = "SELECT ";
    for (auto left = 1 + random() % 7; left > 0; --left) sql += kPieces[random() % 32];
    const auto wanted = asked_of_sqlite(database.get(), sql);
    if (!wanted) continue;
    ++taken;

    const auto all = in_sqlite(sql);

    std::set<std::string> found{all.begin(), all.end()};
    std::erase_if(found, [](const std::string& text) { return text.starts_with('?'); });
    ASSERT_EQ(found, *wanted) << sql;
  }
  EXPECT_GT(taken, 1000);
}

TEST(SqlParametersProperty, AnyTextIsReadInBothDialects) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr std::string_view kBytes = ":'\"$/*-\\E[]`ax1? \n@";
  for (int round = 0; round < 50'000; ++round) {
    std::string sql;
    for (auto left = random() % 20; left > 0; --left) sql += kBytes[random() % kBytes.size()];

    for (const SqlDialect dialect : {SqlDialect::kSqlite, SqlDialect::kPostgres}) {
      for (const SqlParameterUse& use : sql_parameters(sql, dialect)) {
        EXPECT_NE(sql.find(use.text), std::string::npos) << sql;
      }
    }
  }
}

}  // namespace
}  // namespace larder
