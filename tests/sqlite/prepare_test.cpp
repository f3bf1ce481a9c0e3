// What is refused before anything is loaded, and how it is said.
#include <gmock/gmock.h>

#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

class SqlitePrepare : public SqliteTest {
 protected:
  SqlitePrepare() { execute("CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, price REAL)"); }
};

TEST_F(SqlitePrepare, AnUnknownColumnIsShownWithLineColumnAndCaret) {
  EXPECT_EQ(refusal("SELECT id,\n       nam\nFROM p WHERE id = :id"),
            path_ +
                ": the statement does not prepare: no such column: nam, at line 2, column 8:\n"
                "         nam\n"
                "         ^");
}

TEST_F(SqlitePrepare, ColumnsAreCountedInCharacters) {
  EXPECT_THAT(refusal("SELECT 'ä😀' AS a, nam FROM p WHERE id = :id"), HasSubstr("column 19:"));
}

TEST_F(SqlitePrepare, AnUnknownTableAndASyntaxErrorSayWhatSqliteSays) {
  EXPECT_THAT(refusal("SELECT quantity\nFROM q WHERE x = :id"),
              AllOf(HasSubstr("no such table: q, at line 2, column 6:"), EndsWith("\n       ^")));
  EXPECT_THAT(refusal("SELECT id FROM Main.reviews r WHERE id = :id"),
              HasSubstr("no such table: Main.reviews, at line 1, column 16:"));
  EXPECT_THAT(refusal("SELEC id FROM p WHERE id = :id"),
              AllOf(HasSubstr("near \"SELEC\": syntax error"), HasSubstr("line 1, column 1:")));
  EXPECT_THAT(refusal("SELECT id FROM p WHERE id = :id AND ("), HasSubstr("incomplete input"));
}

TEST_F(SqlitePrepare, AnEmptyStatementIsRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("it is empty"));
  EXPECT_THAT(refusal("  -- nothing\n"), HasSubstr("it is empty"));
}

TEST_F(SqlitePrepare, AStatementThatWritesIsRefused) {
  EXPECT_THAT(refusal("DELETE FROM p WHERE id = :id"), HasSubstr("it writes"));
  EXPECT_THAT(refusal("UPDATE p SET name = '' WHERE id = :id RETURNING id"),
              HasSubstr("it writes"));
  EXPECT_THAT(refusal("BEGIN"), HasSubstr("it gives no rows"));
}

TEST_F(SqlitePrepare, ASecondStatementIsRefusedAndShown) {
  EXPECT_THAT(refusal("SELECT id FROM p WHERE id = :id; DROP TABLE p"),
              AllOf(HasSubstr("there is a second one after it"), HasSubstr("column 34:")));
  EXPECT_THAT(refusal("SELECT id FROM p WHERE id = :id; nonsense"), HasSubstr("a second one"));
  EXPECT_EQ(refusal("SELECT id FROM p WHERE id = :id; -- that is all\n ;"), "it prepares");
}

TEST_F(SqlitePrepare, AParameterThatNothingGivesIsRefusedWithTheNearestName) {
  EXPECT_THAT(refusal({.one = "SELECT id FROM p WHERE id = :produkt"}, {"tenant", "product"}),
              AllOf(HasSubstr("nothing gives the parameter :produkt; did you mean :product?"),
                    HasSubstr("There is :tenant, :product, at line 1, column 29:"),
                    EndsWith("\n                              ^")));
  EXPECT_THAT(refusal("SELECT id FROM p WHERE id = ?"), HasSubstr("a bare ?"));
}

TEST_F(SqlitePrepare, TheOnlyParameterMayHaveAnyName) {
  for (const char* parameter : {":id", ":x", "$1", "@key", "?", "?1"}) {
    const auto reader =
        prepare({.one = std::string{"SELECT name FROM p WHERE id = "} + parameter}, {""});
    EXPECT_EQ(value(*reader, {{"", std::int64_t{1}}}), "absent") << parameter;
  }
  EXPECT_THAT(refusal({.one = "SELECT id FROM p"}, {""}), HasSubstr("it has no parameter"));
  EXPECT_THAT(refusal({.one = "SELECT id FROM p WHERE id = :a OR id = :b"}, {""}),
              HasSubstr("it has 2 parameters, and the key gives one"));
}

TEST_F(SqlitePrepare, TwoColumnsOfOneNameAreRefused) {
  EXPECT_THAT(refusal("SELECT a.id, b.id FROM p a, p b WHERE a.id = :id"),
              HasSubstr("two columns are named id"));
}

TEST_F(SqlitePrepare, AJsonColumnThatIsNotThereIsRefused) {
  EXPECT_THAT(
      refusal({.one = "SELECT id, name FROM p WHERE id = :id", .json_columns = {"reviews"}}),
      AllOf(HasSubstr("no column reviews"), HasSubstr("it has id, name")));
}

TEST_F(SqlitePrepare, AStatementForManyKeysIsCheckedAsWell) {
  const std::string one = "SELECT id, name FROM p WHERE id = :id";
  const auto many = [&](std::string sql, std::string key = "id") {
    return refusal({.one = one, .many = std::move(sql), .many_key = std::move(key)});
  };

  EXPECT_THAT(many("SELECT nam FROM p"), HasSubstr("no such column: nam"));
  EXPECT_THAT(many("SELECT id, name FROM p WHERE id = :id"),
              HasSubstr("nothing gives the parameter :id; did you mean :ids?"));
  EXPECT_THAT(many("SELECT id, name FROM p WHERE id IN (SELECT value FROM json_each(:ids))", "key"),
              HasSubstr("has no column key to tell the rows' keys"));
  EXPECT_THAT(many("SELECT id, price FROM p WHERE id IN (SELECT value FROM json_each(:ids))"),
              HasSubstr("for one: id, name; for many: id, price"));
  EXPECT_EQ(many("SELECT name, id FROM p WHERE id IN (SELECT value FROM json_each(:ids))"),
            "it prepares");
}

TEST_F(SqlitePrepare, AStatementForManyKeysNeedsKeysOfOnePart) {
  EXPECT_THAT(refusal({.one = "SELECT id FROM p WHERE id = :a AND name = :b",
                       .many = "SELECT id FROM p WHERE id IN (SELECT value FROM json_each(:ids))",
                       .many_key = "id"},
                      {"a", "b"}),
              HasSubstr("needs keys of one part"));
}

TEST_F(SqlitePrepare, AHugeStatementIsRefused) {
  EXPECT_THAT(refusal("SELECT '" + std::string(2U << 20U, 'x') + "' AS a"),
              HasSubstr("larger than 1 MiB"));
}

TEST_F(SqlitePrepare, ADescriptionNamesFileAndStatement) {
  EXPECT_EQ(prepare("SELECT id FROM p WHERE id = :id")->describe(),
            "sqlite:" + path_ + " · SELECT id FROM p WHERE id = :id");
}

}  // namespace
}  // namespace larder
