// What is refused at the start, and how it is said.
#include <gmock/gmock.h>

#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PostgresPreparing : public PostgresTest {};

TEST_F(PostgresPreparing, AMistakeIsShownWhereItStandsInTheUsersText) {
  execute("CREATE TABLE p(id int, name text)");

  EXPECT_THAT(
      refusal("SELECT 'ä' AS x, :id::int AS y, name,\n  prize FROM p WHERE id = :id"),
      AllOf(HasSubstr("column \"prize\" does not exist (SQLSTATE 42703)"),
            HasSubstr("line 2, column 3"), HasSubstr("    prize FROM p WHERE id = :id\n    ^")));
  EXPECT_THAT(refusal("SELECT :id::bigint AS aa, nme FROM p"), HasSubstr("line 1, column 27"));
}

TEST_F(PostgresPreparing, WhatWritesIsRefused) {
  execute("CREATE TABLE p(id int)");

  for (const char* sql : {"INSERT INTO p VALUES (:id) RETURNING id", "DELETE FROM p WHERE id = :id",
                          "WITH w AS (DELETE FROM p WHERE id = :id RETURNING id) SELECT id FROM w",
                          "SELECT id FROM p WHERE id = :id FOR UPDATE"}) {
    EXPECT_THAT(refusal(sql), HasSubstr("the statement is refused")) << sql;
  }
  EXPECT_EQ(execute("SELECT count(*) FROM p"), "0");
}

TEST_F(PostgresPreparing, TwoStatementsAreRefused) {
  EXPECT_THAT(refusal("SELECT 1 AS a WHERE 1 = :id; SELECT 2"), HasSubstr("multiple commands"));
}

TEST_F(PostgresPreparing, AParameterThatNothingGivesIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal("SELECT 1 AS a WHERE 1 = :idd"),
              AllOf(HasSubstr("nothing gives the parameter :idd; did you mean :id?"),
                    HasSubstr("line 1, column 25")));
  EXPECT_THAT(refusal("SELECT 1 AS a WHERE 1 = $1"), HasSubstr("parameters are written :name"));
  EXPECT_THAT(refusal({.one = "SELECT 1 AS a"}, {""}), HasSubstr("no parameter for the key"));
}

TEST_F(PostgresPreparing, TwoColumnsOfOneNameAreRefused) {
  EXPECT_THAT(refusal("SELECT 1 AS a, 2 AS a WHERE 1 = :id"), HasSubstr("two columns are named a"));
}

TEST_F(PostgresPreparing, TheStatementForManyMustGiveTheSameColumnsOfTheSameTypes) {
  const std::string one = "SELECT 1 AS id, 'x' AS name WHERE 1 = :id";

  EXPECT_THAT(
      refusal(
          {.one = one, .many = "SELECT 1 AS id, 2 AS name WHERE 1 = ANY(:ids)", .many_key = "id"}),
      HasSubstr("the same columns, of the same types"));
  EXPECT_THAT(
      refusal({.one = one, .many = "SELECT 'x' AS name WHERE 1 = ANY(:ids)", .many_key = "id"}),
      HasSubstr("must have the column id"));
  EXPECT_THAT(refusal({.one = one, .many = "SELECT 1 AS id, 'x' AS name", .many_key = "id"}),
              HasSubstr("must use :ids"));
}

TEST_F(PostgresPreparing, AUrlThatAsksForAReplicaIsRefused) {
  for (const char* attributes : {"standby", "prefer-standby", "read-only"}) {
    const auto opened =
        open_postgres(runtime_, url("target_session_attrs=" + std::string{attributes}));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("asks for a replica"));
  }
}

TEST_F(PostgresPreparing, NoMessageShowsThePassword) {
  for (const std::string& bad :
       {std::string{"postgresql://u:hunter2@127.0.0.1:1/db"},
        std::string{"postgresql://u:hunter2@[bad/db"},
        std::string{"postgresql://u@h/db?pasword=hunter2"}, std::string{"u:hunter2@h"}}) {
    const auto opened = open_postgres(runtime_, bad);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, testing::Not(HasSubstr("hunter2"))) << bad;
  }
}

TEST_F(PostgresPreparing, AnUnknownDatabaseAndAPlaceWithoutAServerAreSaidPlainly) {
  EXPECT_THAT(open_postgres(runtime_, server()->url("nowhere")).error().message,
              AllOf(HasSubstr("cannot connect"), HasSubstr("database \"nowhere\" does not exist")));
  EXPECT_THAT(open_postgres(runtime_, "postgresql:///x?host=/nonexistent").error().message,
              HasSubstr("cannot connect"));
}

}  // namespace
}  // namespace larder
