// Typed sources over SQLite.
#include "larder/sql.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

struct Review {
  std::string author;
  int stars = 0;
};
BOOST_DESCRIBE_STRUCT(Review, (), (author, stars))

struct Product {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;
  std::vector<Review> reviews;
};
BOOST_DESCRIBE_STRUCT(Product, (), (id, name, price, reviews))

enum class ProductId : std::int64_t {};

struct Sku {
  std::string value;
};
BOOST_DESCRIBE_STRUCT(Sku, (), (value))

struct TenantProduct {
  std::string tenant;
  std::uint32_t product = 0;
};
BOOST_DESCRIBE_STRUCT(TenantProduct, (), (tenant, product))

const std::string kProduct =
    "SELECT id, name, price, (SELECT json_group_array(json_object('author', author, 'stars', "
    "stars)) "
    "FROM reviews WHERE product_id = p.id) AS reviews FROM p WHERE id = :id";

template <class Key, class Value>
std::vector<Loaded<Value>> load(Source<Key, Value>& source, std::vector<Key> keys) {
  std::promise<std::vector<Loaded<Value>>> promise;
  source.load(std::move(keys), [&](auto results) { promise.set_value(std::move(results)); });
  return promise.get_future().get();
}

class Sql : public SqliteTest {
 protected:
  Sql() {
    execute(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, price REAL, sku TEXT, tenant TEXT);"
        "CREATE TABLE reviews(product_id, author, stars);"
        "INSERT INTO p VALUES (1, 'tea', 2.5, 't', 'x'), (2, 'milk', NULL, 'm', 'y');"
        "INSERT INTO reviews VALUES (1, 'ann', 5), (1, 'bob', 3)");
    (void)database();
  }
};

TEST_F(Sql, ARowIsDecodedIntoADescribedStruct) {
  const auto source = sql<std::int64_t, Product>(database_, kProduct);

  const auto loaded = load(*source, {1, 2, 3});

  const Product& tea = loaded[0].value().value();
  EXPECT_EQ(tea.name, "tea");
  EXPECT_EQ(tea.price, 2.5);
  ASSERT_EQ(tea.reviews.size(), 2U);
  EXPECT_EQ(tea.reviews[1].author, "bob");
  EXPECT_EQ(loaded[1].value().value().price, std::nullopt);
  EXPECT_EQ(loaded[2].value(), std::nullopt);
}

TEST_F(Sql, KeysMayBeStrongTypesStringsAndStructs) {
  const auto by_enum = sql<ProductId, std::string>(database_, "SELECT name FROM p WHERE id = ?");
  const auto by_text =
      sql<std::string, std::string>(database_, "SELECT name FROM p WHERE sku = $1");
  const auto by_wrapper = sql<Sku, std::string>(database_, "SELECT name FROM p WHERE sku = :sku");
  const auto by_parts = sql<TenantProduct, std::string>(
      database_, "SELECT name FROM p WHERE tenant = :tenant AND id = :product");

  EXPECT_EQ(load(*by_enum, {ProductId{2}})[0].value(), R"({"name":"milk"})");
  EXPECT_EQ(load(*by_text, {std::string{"t"}})[0].value(), R"({"name":"tea"})");
  EXPECT_EQ(load(*by_wrapper, {Sku{"m"}})[0].value(), R"({"name":"milk"})");
  EXPECT_EQ(load(*by_parts, {{"x", 1}})[0].value(), R"({"name":"tea"})");
  EXPECT_EQ(load(*by_parts, {{"y", 1}})[0].value(), std::nullopt);
}

TEST_F(Sql, AKeyBeyondSqlsIntegersIsAnErrorAndTheOthersAreLoaded) {
  const auto source =
      sql<std::uint64_t, std::string>(database_, "SELECT name FROM p WHERE id = :id");

  const auto loaded = load(*source, {std::numeric_limits<std::uint64_t>::max(), 1});

  EXPECT_EQ(loaded[0].error().code, Errc::kInvalidArgument);
  EXPECT_EQ(loaded[1].value(), R"({"name":"tea"})");
}

TEST_F(Sql, ARowThatDoesNotFitTheStructIsAnErrorThatNamesTheMember) {
  execute("UPDATE reviews SET stars = 'x' WHERE author = 'bob'");
  const auto source = sql<std::int64_t, Product>(database_, kProduct);

  const auto loaded = load(*source, {1});

  EXPECT_EQ(loaded[0].error(),
            (Error{Errc::kBadValue, "reviews[1].stars: expected an integer, found \"x\""}));
}

TEST_F(Sql, AStatementThatDoesNotPrepareThrows) {
  try {
    (void)sql<std::int64_t, Product>(database_, "SELECT nam FROM p WHERE id = :id");
    FAIL() << "it prepares";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("no such column: nam, at line 1, column 8:"));
  }
}

TEST_F(Sql, AParameterThatNoMemberGivesThrowsWithTheNearest) {
  try {
    (void)sql<TenantProduct, Product>(database_, "SELECT * FROM p WHERE id = :prodct");
    FAIL() << "it prepares";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("did you mean :product?"));
  }
}

TEST_F(Sql, AFullReadLoadsManyWithOneQuery) {
  const auto source = sql<std::int64_t, Product>(
      database_, SqlRead{.one = "SELECT id, name, price, '[]' AS reviews FROM p WHERE id = :id",
                         .many = "SELECT id, name, price, '[]' AS reviews FROM p WHERE id IN "
                                 "(SELECT value FROM json_each(:ids))",
                         .many_key = "id",
                         .json_columns = {"reviews"}});

  const auto loaded = load(*source, {2, 1});

  EXPECT_EQ(loaded[0].value().value().name, "milk");
  EXPECT_EQ(loaded[1].value().value().name, "tea");
}

TEST_F(Sql, RowsBecomeAVector) {
  const auto source = sql<std::int64_t, std::vector<Review>>(
      database_,
      SqlRead{.one = "SELECT author, stars FROM reviews WHERE product_id = :id", .rows = true});

  const auto loaded = load(*source, {1, 2});

  EXPECT_EQ(loaded[0].value().value().size(), 2U);
  EXPECT_TRUE(loaded[1].value().value().empty());
}

TEST_F(Sql, KeysThatAreReadOneByOneTravelInSmallerLoads) {
  const std::string one = "SELECT name FROM p WHERE id = :id";
  const auto singly = sql<std::int64_t, std::string, BytesCodec>(database_, one);
  const auto together = sql<std::int64_t, std::string, BytesCodec>(
      database_, SqlRead{.one = one,
                         .many = "SELECT id, name FROM p WHERE id IN "
                                 "(SELECT value FROM json_each(:ids))",
                         .many_key = "id"});

  EXPECT_EQ(singly->most_keys(), 100U);
  EXPECT_EQ(together->most_keys(), 1000U);
}

TEST_F(Sql, TextKeysAreBoundByAFunctionAndMayBeRefusedByIt) {
  const auto source = sql_text(prepare("SELECT name FROM p WHERE id = :id"),
                               [](std::string_view key) -> Result<SqlParameters> {
                                 if (key == "bad")
                                   return fail(Errc::kInvalidArgument, "no such key");
                                 return id(static_cast<std::int64_t>(key.size()));
                               });

  const auto loaded = load(*source, {std::string{"x"}, std::string{"bad"}, std::string{"xx"}});

  EXPECT_EQ(loaded[0].value(), R"({"name":"tea"})");
  EXPECT_EQ(loaded[1].error().message, "no such key");
  EXPECT_EQ(loaded[2].value(), R"({"name":"milk"})");
  EXPECT_THAT(source->describe(), HasSubstr("SELECT name"));
}

}  // namespace
}  // namespace larder
