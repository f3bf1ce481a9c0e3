#include "demo/shop.hpp"

#include <gmock/gmock.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "demo/database.hpp"
#include "demo/temporary_directory.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const Progress kNobodyWatches = [](std::uint64_t, std::uint64_t) {};

// The first column of the only row.
std::int64_t number(Database& shop, const std::string& sql) {
  auto statement = shop.prepare(sql);
  EXPECT_TRUE(statement) << statement.error().message;
  EXPECT_EQ(statement->step().value(), Statement::Step::kRow);
  return statement->integer(0);
}

// All rows of all tables, as one number.
std::uint64_t content_hash(const fs::path& file) {
  auto shop = Database::open(file.string(), Database::Mode::kExisting).value();
  XXH3_state_t* const state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const char* sql :
       {"SELECT id, name, country FROM brands ORDER BY id",
        "SELECT id, brand_id, name, description, price_cents FROM products ORDER BY id",
        "SELECT id, product_id, stars, author, title, text, written_at "
        "FROM reviews ORDER BY id"}) {
    auto rows = shop.prepare(sql).value();
    while (rows.step().value() == Statement::Step::kRow) {
      for (int column = 0; column < sqlite3_column_count(rows.get()); ++column) {
        const std::string_view text = rows.text(column);
        XXH3_64bits_update(state, text.data(), text.size());
        XXH3_64bits_update(state, "\0", 1);
      }
    }
  }
  const std::uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

class ShopTest : public testing::Test {
 protected:
  void build(const ShopPlan& plan) {
    const auto built = build_shop(file_, plan, kNobodyWatches);
    ASSERT_TRUE(built) << built.error().message;
  }
  Database open() { return Database::open(file_.string(), Database::Mode::kExisting).value(); }

  test::TemporaryDirectory directory_;
  fs::path file_ = directory_.path() / "shop.db";
};

TEST_F(ShopTest, IsTheSameOnEveryMachine) {
  build({.products = 200, .reviews = 2'000, .seed = 42});

  EXPECT_EQ(content_hash(file_), 17598638056076636340U);
}

TEST_F(ShopTest, AnotherSeedIsAnotherShop) {
  build({.products = 50, .reviews = 100, .seed = 1});
  const std::uint64_t first = content_hash(file_);
  build({.products = 50, .reviews = 100, .seed = 2});

  EXPECT_NE(content_hash(file_), first);
}

TEST_F(ShopTest, HasExactlyWhatWasPlanned) {
  build({.products = 300, .reviews = 5'000, .seed = 3});
  Database shop = open();

  EXPECT_EQ(number(shop, "SELECT count(*) FROM products"), 300);
  EXPECT_EQ(number(shop, "SELECT count(*) FROM reviews"), 5'000);
  EXPECT_EQ(number(shop, "SELECT count(*) FROM products WHERE id BETWEEN 1 AND 300"), 300);
  EXPECT_EQ(number(shop, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  EXPECT_EQ(
      number(shop, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

TEST_F(ShopTest, PopularProductsHaveMoreReviews) {
  const ShopPlan plan{.products = 100, .reviews = 10'000, .seed = 4};
  build(plan);
  Database shop = open();
  const std::vector<std::uint32_t> by_rank = popularity(plan).by_rank();
  const auto reviews_of = [&](std::uint32_t rank) {
    return number(shop, "SELECT count(*) FROM reviews WHERE product_id = " +
                            std::to_string(by_rank[rank] + 1));
  };

  // 1 / sqrt(rank): the first has twice what the fourth has, ten times what the last has.
  EXPECT_NEAR(static_cast<double>(reviews_of(0)), 2.0 * static_cast<double>(reviews_of(3)), 4);
  EXPECT_NEAR(static_cast<double>(reviews_of(0)), 10.0 * static_cast<double>(reviews_of(99)), 20);
}

TEST_F(ShopTest, ReviewsWereWrittenInTheOrderOfTheirIds) {
  build({.products = 20, .reviews = 3'000, .seed = 5});
  Database shop = open();

  EXPECT_EQ(number(shop,
                   "SELECT count(*) FROM reviews a JOIN reviews b ON b.id = a.id + 1 "
                   "WHERE b.written_at < a.written_at"),
            0);
  EXPECT_EQ(
      number(shop, "SELECT count(*) FROM reviews WHERE datetime(written_at) IS NOT written_at"), 0);
}

TEST_F(ShopTest, MostReviewsAreGoodAndEveryStarOccurs) {
  build({.products = 100, .reviews = 5'000, .seed = 6});
  Database shop = open();

  EXPECT_EQ(number(shop, "SELECT count(DISTINCT stars) FROM reviews"), 5);
  const std::int64_t mean = number(shop, "SELECT CAST(100 * avg(stars) AS INTEGER) FROM reviews");
  EXPECT_GT(mean, 350);
  EXPECT_LT(mean, 450);
}

TEST_F(ShopTest, ThePageQueryFindsEverythingByIndex) {
  build({.products = 100, .reviews = 1'000, .seed = 7});
  Database shop = open();
  auto plan = shop.prepare("EXPLAIN QUERY PLAN " + std::string{page_query()}).value();
  std::string steps;
  while (plan.step().value() == Statement::Step::kRow) {
    steps += plan.text(3);
    steps += '\n';
  }

  EXPECT_THAT(steps, HasSubstr("SEARCH p USING INTEGER PRIMARY KEY"));
  EXPECT_THAT(steps, HasSubstr("COVERING INDEX reviews_of_product"));
  EXPECT_THAT(steps, Not(HasSubstr("SCAN p")));
  EXPECT_THAT(steps, Not(HasSubstr("SCAN b")));
  EXPECT_THAT(steps, Not(HasSubstr("SCAN reviews")));
  EXPECT_THAT(steps, Not(HasSubstr("TEMP B-TREE"))) << steps;
}

TEST_F(ShopTest, ThePageHasTheTenNewestReviewsNewestFirst) {
  const ShopPlan plan{.products = 10, .reviews = 1'000, .seed = 8};
  build(plan);
  Database shop = open();
  const std::int64_t product = popularity(plan).by_rank()[0] + 1;

  auto page = shop.prepare(page_query()).value();
  page.bind(1, product);
  ASSERT_EQ(page.step().value(), Statement::Step::kRow);

  const std::string latest{page.text(7)};
  EXPECT_EQ(page.integer(0), product);
  auto check =
      shop.prepare(
              "SELECT (SELECT json_group_array(written_at) FROM (SELECT written_at FROM reviews"
              " WHERE product_id = ?1 ORDER BY written_at DESC LIMIT 10)),"
              " (SELECT json_group_array(value ->> 'written_at') FROM json_each(?2))")
          .value();
  check.bind(1, product);
  check.bind(2, latest);
  ASSERT_EQ(check.step().value(), Statement::Step::kRow);
  EXPECT_EQ(check.text(0), check.text(1));
}

TEST_F(ShopTest, AProductWithoutReviewsStillHasAPage) {
  build({.products = 5, .reviews = 0, .seed = 9});
  Database shop = open();

  auto page = shop.prepare(page_query()).value();
  page.bind(1, std::int64_t{3});

  ASSERT_EQ(page.step().value(), Statement::Step::kRow);
  EXPECT_EQ(page.integer(6), 0);
  EXPECT_EQ(page.text(7), "[]");
}

TEST_F(ShopTest, AnUnknownProductHasNone) {
  build({.products = 5, .reviews = 10, .seed = 10});
  Database shop = open();

  auto page = shop.prepare(page_query()).value();
  page.bind(1, std::int64_t{6});

  EXPECT_EQ(page.step().value(), Statement::Step::kDone);
}

TEST_F(ShopTest, IsKnownByItsPlan) {
  const ShopPlan plan{.products = 10, .reviews = 10, .seed = 11};
  EXPECT_EQ(look_for_shop(file_, plan), Found::kNothing);

  build(plan);

  EXPECT_EQ(look_for_shop(file_, plan), Found::kThisShop);
  EXPECT_EQ(look_for_shop(file_, {.products = 10, .reviews = 10, .seed = 12}), Found::kAnotherShop);
}

TEST_F(ShopTest, OtherPeoplesFilesAreForeign) {
  std::ofstream{file_} << "my diary";
  EXPECT_EQ(look_for_shop(file_, {}), Found::kForeign);

  fs::remove(file_);
  ASSERT_TRUE(Database::open(file_.string(), Database::Mode::kCreate)
                  .value()
                  .run("CREATE TABLE diary (entry TEXT)"));
  EXPECT_EQ(look_for_shop(file_, {}), Found::kForeign);
}

TEST_F(ShopTest, CalledOffItLeavesNothing) {
  std::stop_source stop;
  const auto stop_soon = [&](std::uint64_t, std::uint64_t) { stop.request_stop(); };

  const auto built = build_shop(file_, {.products = 100, .reviews = 50'000, .seed = 1}, stop_soon,
                                stop.get_token());

  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Errc::kCancelled);
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(ShopTest, WhereNothingCanBeWrittenItSaysWhichFile) {
  const fs::path nowhere = directory_.path() / "missing" / "shop.db";

  const auto built = build_shop(nowhere, {.products = 5, .reviews = 5}, kNobodyWatches);

  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().message, HasSubstr(nowhere.string()));
}

TEST_F(ShopTest, TellsHowFarItIs) {
  std::vector<std::uint64_t> told;
  std::set<std::uint64_t> totals;
  const auto built = build_shop(file_, {.products = 1'000, .reviews = 9'000},
                                [&](std::uint64_t done, std::uint64_t total) {
                                  totals.insert(total);
                                  told.push_back(done);
                                });

  ASSERT_TRUE(built);
  EXPECT_GE(told.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(totals.size(), 1U);
  EXPECT_EQ(told.back(), *totals.begin());
}

}  // namespace
}  // namespace larder::demo
