#include "larder/weight.hpp"

#include <gtest/gtest.h>

#include <boost/describe/class.hpp>
#include <map>

namespace larder {
namespace {

struct Review {
  int stars = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Review, (), (stars, text))

struct Product {
  std::string name;
  std::vector<Review> reviews;
};
BOOST_DESCRIBE_STRUCT(Product, (), (name, reviews))

struct Image {
  std::size_t pixels = 0;
};
std::size_t larder_weigh(const Image& image) { return sizeof(Image) + image.pixels; }

TEST(Weight, AShortStringOwnsNothing) { EXPECT_EQ(weigh(std::string{"tea"}), sizeof(std::string)); }

TEST(Weight, ALongStringOwnsItsBytes) {
  EXPECT_GE(weigh(std::string(1000, 'x')), sizeof(std::string) + 1000);
}

TEST(Weight, DescribedTypesAreTheSumOfTheirMembers) {
  Product product{.name = std::string(100, 'n'), .reviews = {}};
  product.reviews.push_back({5, std::string(1000, 'r')});

  EXPECT_GE(weigh(product), sizeof(Product) + 100 + sizeof(Review) + 1000);
}

TEST(Weight, ContainersAreTheSumOfTheirElements) {
  const std::map<int, std::string> names{{1, std::string(500, 'x')}, {2, std::string(500, 'y')}};

  EXPECT_GE(weigh(names), 1000U);
}

TEST(Weight, ATypeMaySayItItself) { EXPECT_EQ(weigh(Image{4096}), sizeof(Image) + 4096); }

}  // namespace
}  // namespace larder
