#include "access/rights.hpp"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>

namespace larder {
namespace {

using testing::HasSubstr;

Grant grant(std::string_view text) { return Grant::parse(text).value(); }

TEST(Grant, ReadsARightAndItsCache) {
  EXPECT_EQ(grant("read:product"), (Grant{Right::kRead, "product"}));
  EXPECT_EQ(grant("admin:*"), (Grant{Right::kAdmin, "*"}));
}

TEST(Grant, SaysWhatItLacks) {
  EXPECT_THAT(Grant::parse("write").error().message, HasSubstr("\"write:CACHE\""));
  EXPECT_THAT(Grant::parse("write:").error().message, HasSubstr("\"write:*\" for all"));
  EXPECT_THAT(Grant::parse("wrote:product").error().message, HasSubstr("read, write and admin"));
  EXPECT_THAT(Grant::parse("").error().message, HasSubstr("names no right"));
}

TEST(Rights, AllowNothingByThemselves) {
  const Rights none;

  EXPECT_FALSE(none.allow(Right::kRead, "product"));
  EXPECT_FALSE(none.allow_everywhere(Right::kRead));
  EXPECT_FALSE(none.unlimited());
}

TEST(Rights, OneDoesNotIncludeAnother) {
  const Rights rights{std::array{grant("write:product"), grant("admin:cart")}};

  EXPECT_TRUE(rights.allow(Right::kWrite, "product"));
  EXPECT_FALSE(rights.allow(Right::kRead, "product"));
  EXPECT_FALSE(rights.allow(Right::kRead, "cart"));
  EXPECT_FALSE(rights.allow(Right::kWrite, "cart"));
}

TEST(Rights, ForAllCachesHoldForEach) {
  const Rights rights{std::array{grant("read:*"), grant("write:cart")}};

  EXPECT_TRUE(rights.allow(Right::kRead, "anything"));
  EXPECT_TRUE(rights.allow_everywhere(Right::kRead));
  EXPECT_FALSE(rights.allow_everywhere(Right::kWrite));
}

TEST(Rights, ForEveryCacheByNameAreNotForAll) {
  const Rights rights{std::array{grant("read:product"), grant("read:cart")}};

  EXPECT_FALSE(rights.allow_everywhere(Right::kRead));
}

TEST(Rights, AreUnlimitedWhenAllAreGivenForAll) {
  const Rights rights{std::array{grant("read:*"), grant("write:*"), grant("admin:*")}};

  EXPECT_TRUE(rights.unlimited());
  EXPECT_EQ(rights, Rights::all());
}

TEST(Rights, AgreeWithASetOfPairs) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const std::array<std::string, 6> caches{"a", "ab", "b", "c", "product", "*"};
  const std::array all{Right::kRead, Right::kWrite, Right::kAdmin};

  for (int round = 0; round < 2'000; ++round) {
    std::set<std::pair<Right, std::string>> model;
    std::vector<Grant> grants;
    for (auto count = random() % 8; count > 0; --count) {
      grants.push_back({all[random() % 3], caches[random() % caches.size()]});
      model.emplace(grants.back().right, grants.back().cache);
    }

    const Rights rights{grants};

    for (const Right right : all) {
      const bool everywhere = model.contains({right, "*"});
      ASSERT_EQ(rights.allow_everywhere(right), everywhere);
      for (const std::string& cache : {"a", "ab", "b", "c", "product", "other", ""}) {
        ASSERT_EQ(rights.allow(right, cache), everywhere || model.contains({right, cache}));
      }
    }
  }
}

}  // namespace
}  // namespace larder
