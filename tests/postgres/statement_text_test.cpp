#include "postgres/statement_text.hpp"

#include <gmock/gmock.h>

namespace larder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PostgresText, NumbersEachParameterOnce) {
  const auto text = postgres_text("SELECT ':a', :b::int, :a, :b", {"a", "b"});

  ASSERT_TRUE(text);
  EXPECT_EQ(text->sql, "SELECT ':a', $1::int, $2, $1");
  EXPECT_THAT(text->parameters, ElementsAre("b", "a"));
}

TEST(PostgresText, APlaceIsFoundInTheUsersText) {
  const std::string sql = "SELECT 'ä', :product, x, :product, y";
  const auto text = postgres_text(sql, {"product"});

  ASSERT_TRUE(text);
  EXPECT_EQ(text->sql, "SELECT 'ä', $1, x, $1, y");
  EXPECT_EQ(sql[text->origin(17)], 'x');
  EXPECT_EQ(sql[text->origin(24)], 'y');
  EXPECT_EQ(text->origin(1000), sql.size());
}

TEST(PostgresText, TheOnlyParameterMayHaveAnyName) {
  EXPECT_EQ(postgres_text("SELECT :x, :x", {""})->sql, "SELECT $1, $1");
  EXPECT_EQ(postgres_text("SELECT $1", {""})->sql, "SELECT $1");
  EXPECT_THAT(postgres_text("SELECT :x, :y", {""}).error().message, HasSubstr("second parameter"));
  EXPECT_THAT(postgres_text("SELECT $2", {""}).error().message, HasSubstr("not $2"));
}

}  // namespace
}  // namespace larder
