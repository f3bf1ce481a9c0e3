#include "codec/row_merge.hpp"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(WrittenOver, ReplacesTheValuesOfColumnsAndKeepsTheirOrder) {
  EXPECT_EQ(written_over(R"({ "id": 1, "name":"a" ,"price":1.50})", R"({"price":2,"name":"b"})"),
            R"({"id":1,"name":"b","price":2})");
}

TEST(WrittenOver, LeavesOutWhatIsNoColumn) {
  EXPECT_EQ(written_over(R"({"id":1})", R"({"nick":"x"})"), R"({"id":1})");
}

TEST(WrittenOver, TakesAnObjectWholeAndNullAsNull) {
  EXPECT_EQ(written_over(R"({"a":{"x":1},"b":2})", R"({"a":{"y":2},"b":null})"),
            R"({"a":{"y":2},"b":null})");
}

TEST(WrittenOver, KeepsNamesThatNeedEscapes) {
  EXPECT_EQ(written_over("{\"a\\\"\\u00e9\":1}", "{\"a\\\"é\":2}"), "{\"a\\\"é\":2}");
}

TEST(WrittenOver, OfWhatIsNoObjectIsWhatWasWritten) {
  EXPECT_EQ(written_over("[1]", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(written_over(R"({"a":1})", "7"), "7");
}

TEST(WrittenOver, OfEmptyObjectsIsEmpty) {
  EXPECT_EQ(written_over("{}", R"({"a":1})"), "{}");
  EXPECT_EQ(written_over(R"({"a":1})", "{}"), R"({"a":1})");
}

TEST(WrittenBoth, HasTheFieldsOfBothAndTheLaterValues) {
  EXPECT_EQ(written_both(R"({"a":1,"b":1})", R"({"b":2,"c":2})"), R"({"a":1,"b":2,"c":2})");
}

}  // namespace
}  // namespace larder
