#include "sqlite/batch.hpp"

#include <gmock/gmock.h>

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<SqlParameters> keys(std::vector<SqlValue> values) {
  std::vector<SqlParameters> all;
  for (SqlValue& value : values) all.push_back({{"id", std::move(value)}});
  return all;
}

TEST(SqlBatch, IntegersAreListedExactly) {
  const auto asked = keys({std::int64_t{1}, std::int64_t{9007199254740993}, std::int64_t{-5}});
  const SqlBatch batch{asked};

  EXPECT_EQ(batch.list(batch.together()), "[1,9007199254740993,-5]");
  EXPECT_THAT(batch.alone(), IsEmpty());
}

TEST(SqlBatch, TextsAreListedAsJsonStrings) {
  const auto asked = keys({std::string{"a\"b"}, std::string{"ä"}});
  const SqlBatch batch{asked};

  EXPECT_EQ(batch.list(batch.together()), R"(["a\"b","ä"])");
}

TEST(SqlBatch, FindsTheKeyThatARowNames) {
  const auto numbers = keys({std::int64_t{7}, std::int64_t{42}});
  const auto texts = keys({std::string{"x"}, std::string{"42"}});
  const SqlBatch by_number{numbers};
  const SqlBatch by_text{texts};

  EXPECT_EQ(by_number.find(std::int64_t{42}), 1U);
  EXPECT_EQ(by_number.find("42"), 1U);
  EXPECT_EQ(by_number.find("042"), std::nullopt);
  EXPECT_EQ(by_number.find(std::int64_t{8}), std::nullopt);
  EXPECT_EQ(by_text.find("x"), 0U);
  EXPECT_EQ(by_text.find(std::int64_t{42}), 1U);
  EXPECT_EQ(by_text.find("X"), std::nullopt);
}

TEST(SqlBatch, KeysThatSqliteMayHoldForTheSameAreAskedAlone) {
  const auto asked =
      keys({std::string{"abc"}, std::string{"ABC"}, std::string{"x"}, std::string{"42"},
            std::string{"042"}, std::string{"y"}, std::string{"y "}});
  const SqlBatch batch{asked};

  EXPECT_THAT(batch.together(), ElementsAre(2));
  EXPECT_THAT(batch.alone(), ElementsAre(0, 1, 3, 4, 5, 6));
}

TEST(SqlBatch, KeysThatJsonCannotCarryAreAskedAlone) {
  const auto asked =
      keys({std::string{"a\0b", 3}, std::string{"\xff"}, SqlValue{}, 1.5, std::string{"fine"}});
  const SqlBatch batch{asked};

  EXPECT_THAT(batch.together(), ElementsAre(4));
}

TEST(SqlBatch, AKeyThatIsAskedTwiceIsAnsweredTwice) {
  const auto asked = keys({std::int64_t{1}, std::int64_t{2}, std::int64_t{1}});
  const SqlBatch batch{asked};

  EXPECT_THAT(batch.together(), ElementsAre(0, 1));
  EXPECT_THAT(batch.alone(), ElementsAre(2));
}

TEST(SqlBatch, IntegersForATextColumnAreAskedAlone) {
  const auto asked = keys({std::int64_t{1}, std::int64_t{2}});
  const SqlBatch batch{asked, true};

  EXPECT_THAT(batch.alone(), ElementsAre(0, 1));
}

TEST(SqlBatch, TextsBesideIntegersAreAskedAlone) {
  const auto asked = keys({std::int64_t{1}, std::string{"one"}});
  const SqlBatch batch{asked};

  EXPECT_THAT(batch.together(), ElementsAre(0));
  EXPECT_THAT(batch.alone(), ElementsAre(1));
}

}  // namespace
}  // namespace larder
