#include "larder/codec.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

namespace larder {
namespace {

using testing::HasSubstr;

enum class Color : std::uint8_t { red, green = 5 };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Review {
  std::string author;
  int stars = 0;

  friend bool operator==(const Review&, const Review&) = default;
};
BOOST_DESCRIBE_STRUCT(Review, (), (author, stars))

struct Named {
  std::string name;

  friend bool operator==(const Named&, const Named&) = default;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name))

struct Product : Named {
  std::int64_t id = 0;
  double price = 0;
  bool sold = false;
  Color color = Color::red;
  std::optional<std::string> note;
  std::vector<Review> reviews;
  std::map<std::string, std::uint64_t> counts;
  std::vector<std::byte> picture;

  friend bool operator==(const Product&, const Product&) = default;
};
BOOST_DESCRIBE_STRUCT(Product, (Named), (id, price, sold, color, note, reviews, counts, picture))

struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())

struct Node {
  int n = 0;
  std::vector<Node> children;
};
BOOST_DESCRIBE_STRUCT(Node, (), (n, children))

static_assert(Codec<JsonCodec<Product>, Product>);
static_assert(Codec<BytesCodec, std::string>);
static_assert(std::same_as<DefaultCodec<std::string>, BytesCodec>);
static_assert(std::same_as<DefaultCodec<Product>, JsonCodec<Product>>);

template <class T>
std::string problem(std::string_view text) {
  const auto decoded = JsonCodec<T>::decode(text);
  return decoded ? "it decodes" : decoded.error().message;
}

TEST(JsonCodec, WritesADescribedStructWithEverythingInIt) {
  Product product;
  product.name = "Tea \"green\"";
  product.id = 9007199254740993;
  product.price = 0.1;
  product.sold = true;
  product.color = Color::green;
  product.reviews = {{"ann", 5}, {"bob", 3}};
  product.counts = {{"views", 18446744073709551615U}};
  product.picture = {std::byte{0}, std::byte{255}};

  EXPECT_EQ(
      JsonCodec<Product>::encode(product),
      R"({"name":"Tea \"green\"","id":9007199254740993,"price":0.1,"sold":true,"color":"green",)"
      R"("note":null,"reviews":[{"author":"ann","stars":5},{"author":"bob","stars":3}],)"
      R"("counts":{"views":18446744073709551615},"picture":"AP8="})");
  EXPECT_EQ(JsonCodec<Product>::decode(JsonCodec<Product>::encode(product)), product);
}

TEST(JsonCodec, UnknownMembersAreIgnoredAndOptionalOnesMayMissOrBeNull) {
  struct Local {};
  EXPECT_EQ(JsonCodec<Named>::decode(R"({"other":[1,{}],"name":"x"})"), Named{"x"});
  EXPECT_EQ(JsonCodec<std::optional<int>>::decode("null").value(), std::nullopt);
}

TEST(JsonCodec, AMissingMemberIsAnErrorThatNamesIt) {
  EXPECT_EQ(problem<Review>(R"({"author":"x"})"), "stars: missing");
  EXPECT_EQ(problem<std::vector<Review>>(R"([{"author":"x","stars":1},{"stars":1}])"),
            "[1].author: missing");
}

TEST(JsonCodec, ErrorsNameThePathWhatWasExpectedAndWhatIsThere) {
  const std::string head =
      R"({"name":"x","id":1,"price":1,"sold":false,"color":"red","counts":{},"picture":"","reviews":)";

  EXPECT_EQ(problem<Product>(head + R"([{"author":"a","stars":1},{"author":"b","stars":"x"}]})"),
            "reviews[1].stars: expected an integer, found \"x\"");
  EXPECT_EQ(problem<Product>(head + "{}}"), "reviews: expected an array, found an object");
  EXPECT_EQ(problem<Product>("[]"), "expected an object, found an array");
  EXPECT_EQ(problem<Color>(R"("blue")"), "expected one of red, green, found \"blue\"");
  EXPECT_EQ(problem<bool>("2"), "expected true or false, found 2");
  EXPECT_EQ((problem<std::map<std::string, std::string>>(R"({"a":1.5})")),
            "a: expected a text, found 1.5");
  EXPECT_EQ(problem<std::vector<std::byte>>(R"("AA=")"), "expected bytes in base64, found \"AA=\"");
  EXPECT_THAT(problem<int>('"' + std::string(1000, 'x') + '"'),
              HasSubstr("found a text of 1000 bytes"));
}

TEST(JsonCodec, IntegersThatDoNotFitAreErrors) {
  EXPECT_EQ(problem<std::int8_t>("128"), "expected an integer from -128 to 127, found 128");
  EXPECT_EQ(problem<std::uint32_t>("-1"), "expected an integer from 0 to 4294967295, found -1");
  EXPECT_THAT(problem<std::int64_t>("9223372036854775808"), HasSubstr("found 9223372036854775808"));
  EXPECT_THAT(problem<std::int64_t>("1.5"), HasSubstr("found 1.5"));
  EXPECT_THAT(problem<std::int64_t>("1e300"), HasSubstr("found 1e+300"));
  EXPECT_EQ(JsonCodec<std::int64_t>::decode("3.0"), 3);
}

TEST(JsonCodec, SqlitesIntegersServeAsBoolAndEnum) {
  EXPECT_EQ(JsonCodec<bool>::decode("1"), true);
  EXPECT_EQ(JsonCodec<bool>::decode("0"), false);
  EXPECT_EQ(JsonCodec<Color>::decode("5"), Color::green);
  EXPECT_THAT(problem<Color>("1"), HasSubstr("expected one of red, green"));
}

TEST(JsonCodec, RecursiveEmptyAndFreeTypesWork) {
  const auto node = JsonCodec<Node>::decode(R"({"n":1,"children":[{"n":2,"children":[]}]})");
  EXPECT_EQ(JsonCodec<Node>::encode(node.value()), R"({"n":1,"children":[{"n":2,"children":[]}]})");
  EXPECT_EQ(JsonCodec<Empty>::encode({}), "{}");
  EXPECT_EQ(JsonCodec<boost::json::value>::encode(
                JsonCodec<boost::json::value>::decode("[1,null]").value()),
            "[1,null]");
  EXPECT_EQ(JsonCodec<std::vector<bool>>::encode({true, false}), "[true,false]");
}

TEST(JsonCodec, WhatJsonCannotSayThrowsWithThePath) {
  const auto message = [](const std::vector<double>& value) -> std::string {
    try {
      return JsonCodec<std::vector<double>>::encode(value);
    } catch (const Failure& failure) {
      return failure.what();
    }
  };

  EXPECT_EQ(message({1, std::nan("")}), "[1]: JSON has no infinity and no NaN");
  EXPECT_THROW((void)JsonCodec<Named>::encode({"\xff"}), Failure);
}

TEST(JsonCodec, GarbageIsAnErrorWithItsPlace) {
  for (const char* text :
       {"", "{", "nul", "{\"name\":\"x\"}}", "{\"name\":\"\xff\"}", "{name:1}"}) {
    EXPECT_THAT(problem<Named>(text), testing::MatchesRegex("not JSON: .* at byte [0-9]+")) << text;
  }
  EXPECT_THAT(problem<Node>(std::string(100'000, '[')), HasSubstr("not JSON"));
}

TEST(JsonCodec, EveryNumberComesBackAsItWas) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};

  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random();
    const auto real = std::bit_cast<double>(bits);
    EXPECT_EQ(JsonCodec<std::uint64_t>::decode(JsonCodec<std::uint64_t>::encode(bits)), bits);
    if (!std::isfinite(real)) continue;
    EXPECT_EQ(JsonCodec<double>::decode(JsonCodec<double>::encode(real)), real);
  }
}

}  // namespace
}  // namespace larder
