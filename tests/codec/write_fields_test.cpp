#include "codec/write_fields.hpp"

#include <gtest/gtest.h>

namespace larder {
namespace {

using Kind = JsonField::Kind;

TEST(JsonFields, AreReadWithEveryDigit) {
  const auto fields = json_fields(
      R"( {"name": "k\u00e9ttle \"x\"", "price":12345678901234567890.10 ,"on":true,"off":false,
          "none":null,"tags":["a",{"b":"]}"}],"more":{"x":[1,2]}} )");

  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields, (std::vector<JsonField>{{"name", Kind::kText, "kéttle \"x\""},
                                             {"price", Kind::kNumber, "12345678901234567890.10"},
                                             {"on", Kind::kTrue, "true"},
                                             {"off", Kind::kFalse, "false"},
                                             {"none", Kind::kNull, "null"},
                                             {"tags", Kind::kArray, R"(["a",{"b":"]}"}])"},
                                             {"more", Kind::kObject, R"({"x":[1,2]})"}}));
}

TEST(JsonFields, OfAnEmptyObjectAreNone) { EXPECT_TRUE(json_fields("{}")->empty()); }

TEST(JsonFields, RefuseWhatIsNoObject) {
  EXPECT_EQ(json_fields("[1]").error().code, Errc::kInvalidArgument);
  EXPECT_NE(json_fields("{\"a\":").error().message.find("no JSON"), std::string::npos);
  EXPECT_NE(json_fields(R"({"a":1,"b":2,"a":3})").error().message.find("\"a\" twice"),
            std::string::npos);
}

TEST(JsonElements, AreReadInOrder) {
  EXPECT_EQ(json_elements(R"([ 1, "a,b" ,[2,3],null])"),
            (std::vector<JsonField>{{"", Kind::kNumber, "1"},
                                    {"", Kind::kText, "a,b"},
                                    {"", Kind::kArray, "[2,3]"},
                                    {"", Kind::kNull, "null"}}));
  EXPECT_TRUE(json_elements("[]").empty());
}

TEST(BindWrite, TakesTheKeysPartsAndTheFields) {
  const auto bound = bind_write({"price", "id"}, {{"id", std::int64_t{42}}},
                                {{"price", Kind::kNumber, "2.5"}, {"else", Kind::kNull, "null"}});

  ASSERT_TRUE(bound);
  EXPECT_EQ(std::get<JsonField>((*bound)[0]).text, "2.5");
  EXPECT_EQ(std::get<SqlValue>((*bound)[1]), SqlValue{std::int64_t{42}});
}

TEST(BindWrite, AMissingFieldIsNeverNull) {
  const auto bound = bind_write({"price", "id"}, {{"id", std::int64_t{42}}},
                                {{"name", Kind::kText, "pot"}, {"cost", Kind::kNumber, "1"}});

  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().message,
            "the value has no field \"price\", which the statement names as :price; it has name, "
            "cost. To write NULL, say null");
}

TEST(BindWrite, TheValueMustNotNameAnotherRowThanTheKey) {
  const SqlParameters key{{"id", std::int64_t{42}}};

  EXPECT_TRUE(bind_write({"id"}, key, {{"id", Kind::kNumber, "42"}}));
  EXPECT_EQ(bind_write({"id"}, key, {{"id", Kind::kNumber, "43"}}).error().message,
            "the value's \"id\" is 43, and the key's 42");
}

TEST(KeyNames, ANamelessPartTakesTheNameThatIsRead) {
  EXPECT_EQ(*key_names({""}, {"id"}), std::vector<std::string>{"id"});
  EXPECT_EQ(*key_names({"shop", "id"}, {"id"}), (std::vector<std::string>{"shop", "id"}));
  EXPECT_FALSE(key_names({""}, {""}));
}

}  // namespace
}  // namespace larder
