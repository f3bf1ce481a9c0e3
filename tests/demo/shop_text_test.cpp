#include "demo/shop_text.hpp"

#include <gmock/gmock.h>

#include <array>

namespace larder::demo {
namespace {

using testing::HasSubstr;

class ShopText : public testing::Test {
 protected:
  Random random_{2024};
};

TEST_F(ShopText, AProductIsNamedAfterItsBrand) {
  for (std::uint32_t category = 0; category < category_count(); ++category) {
    const Brand brand = make_brand(category, random_);

    const Product product = make_product(brand, random_);

    EXPECT_THAT(product.name, testing::StartsWith(brand.name));
    EXPECT_EQ(product.category, category);
    EXPECT_GT(product.price_cents, 0U);
  }
}

TEST_F(ShopText, NoSentenceKeepsItsBraces) {
  Review review;
  for (int i = 0; i < 5'000; ++i) {
    const Brand brand = make_brand(random_.below(category_count()), random_);
    write_review(make_product(brand, random_), random_, review);

    ASSERT_THAT(review.text, testing::Not(HasSubstr("{")));
    ASSERT_FALSE(review.title.empty());
    ASSERT_FALSE(review.author.empty());
    ASSERT_GE(review.stars, 1U);
    ASSERT_LE(review.stars, 5U);
  }
}

TEST_F(ShopText, WordsFitTheStars) {
  const Product product = make_product(make_brand(0, random_), random_);
  Review review;
  int praised = 0;
  for (int i = 0; i < 2'000; ++i) {
    write_review(product, random_, review);
    const bool recommends = review.text.find("Clear recommendation.") != std::string::npos;
    const bool warns = review.text.find("Save your money.") != std::string::npos;

    ASSERT_FALSE(recommends && review.stars <= 3) << review.text;
    ASSERT_FALSE(warns && review.stars >= 3) << review.text;
    praised += recommends ? 1 : 0;
  }
  EXPECT_GT(praised, 0);
}

TEST_F(ShopText, BetterProductsGetMoreStars) {
  Product product = make_product(make_brand(1, random_), random_);
  const auto sum_of_stars = [&](std::uint32_t satisfaction) {
    product.satisfaction = satisfaction;
    Review review;
    std::uint32_t sum = 0;
    for (int i = 0; i < 2'000; ++i) {
      write_review(product, random_, review);
      sum += review.stars;
    }
    return sum;
  };

  EXPECT_GT(sum_of_stars(95), sum_of_stars(55) + 1'000);
}

}  // namespace
}  // namespace larder::demo
