#include "demo/shop_config.hpp"

#include <gtest/gtest.h>

#include "config/parse.hpp"
#include "demo/shop.hpp"

namespace larder::demo {
namespace {

TEST(ShopConfig, IsOneWithoutAnyProblem) {
  const ParsedConfig parsed = parse_config(shop_config({}), {});

  EXPECT_TRUE(parsed.problems.empty()) << to_string(parsed.problems.front(), "larder.toml");
  ASSERT_TRUE(parsed.config);
  ASSERT_EQ(parsed.config->caches.size(), 2U);
}

TEST(ShopConfig, ListensWhereItIsTold) {
  const ParsedConfig parsed = parse_config(shop_config({.resp = 7001, .admin = 7002}), {});

  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(parsed.config->server.listen, "127.0.0.1:7001");
  EXPECT_EQ(parsed.config->server.admin, "127.0.0.1:7002");
}

// The straight run and larder ask the same.
TEST(ShopConfig, ReadsPagesWithThePageQuery) {
  const ParsedConfig parsed = parse_config(shop_config({}), {});

  ASSERT_TRUE(parsed.config);
  const CacheConfig& product = parsed.config->caches.at(0);
  EXPECT_EQ(product.name, "product");
  EXPECT_NE(product.read.find(page_query()), std::string::npos);
  EXPECT_EQ(product.json, std::vector<std::string>{std::string{kPageJsonColumn}});
}

}  // namespace
}  // namespace larder::demo
