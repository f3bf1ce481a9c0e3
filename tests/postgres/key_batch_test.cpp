#include "postgres/key_batch.hpp"

#include <gmock/gmock.h>

namespace larder {
namespace {

using testing::ElementsAre;

constexpr Oid kInt8List = 1016;
constexpr Oid kTextList = 1009;

TEST(PostgresKeyBatch, ListsKeysAndFindsThemByTheirRowsText) {
  const std::vector<SqlParameters> keys{{{"id", std::int64_t{7}}}, {{"id", std::int64_t{-3}}}};
  const PostgresKeyBatch batch{keys, kInt8List};

  EXPECT_EQ(batch.list(batch.together()), R"({"7","-3"})");
  EXPECT_EQ(batch.find("-3"), 1);
  EXPECT_EQ(batch.find("8"), std::nullopt);
  EXPECT_TRUE(batch.exact());
}

TEST(PostgresKeyBatch, SetsAsideWhatARowCannotName) {
  const std::vector<SqlParameters> keys{{{"id", std::string{"042"}}},
                                        {{"id", std::string{"42"}}},
                                        {{"id", std::int64_t{42}}},
                                        {{"id", std::string{"x"}}}};
  const PostgresKeyBatch integers{keys, kInt8List};
  EXPECT_THAT(integers.together(), ElementsAre(1));
  EXPECT_THAT(integers.alone(), ElementsAre(0, 2, 3));

  const PostgresKeyBatch texts{keys, kTextList};
  EXPECT_THAT(texts.together(), ElementsAre(0, 1, 3));
  EXPECT_FALSE(texts.exact());
}

TEST(PostgresKeyBatch, SetsAsideWhatPostgresCannotHold) {
  const std::vector<SqlParameters> keys{
      {{"id", std::string{"a\0b", 3}}}, {{"id", std::string{"\xff"}}}, {{"id", std::monostate{}}}};

  EXPECT_THAT(PostgresKeyBatch(keys, kTextList).alone(), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace larder
