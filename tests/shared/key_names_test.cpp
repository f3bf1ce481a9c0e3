#include "shared/key_names.hpp"

#include <gtest/gtest.h>

#include <array>

#include "redis/slot.hpp"

namespace larder::shared {
namespace {

TEST(KeyNames, OfOneServerAreThoseThatPeopleExpect) {
  const KeyNames names{"shop", false};

  EXPECT_EQ(names.value("product", "42"), "shop:product:42");
  EXPECT_EQ(names.generation("product", 0), "shop/product/generation");
  EXPECT_EQ(names.key_in("product", "shop:product:42"), "42");
}

TEST(KeyNames, OfABucketAreAllInItsSlot) {
  const KeyNames names{"shop", true};
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "{user}:" + std::to_string(i);  // braces of a user's own
    const std::string name = names.value("product", key);
    const KeyNames::Bucket bucket = names.bucket("product", key);

    EXPECT_EQ(names.bucket_in(name), bucket);
    EXPECT_EQ(names.key_in("product", name), key);
    const std::uint16_t slot = KeyNames::slot(bucket);
    for (const std::string& each :
         {name, names.generation("product", bucket), names.probe(bucket), names.channel(bucket)}) {
      EXPECT_EQ(redis::slot_of(each), slot) << each;
    }
  }
}

TEST(KeyNames, BucketsAreSpreadEvenlyOverThreeMasters) {
  std::array<int, 3> count{};
  for (unsigned bucket = 0; bucket < KeyNames::kBuckets; ++bucket) {
    ++count.at(KeyNames::slot(static_cast<KeyNames::Bucket>(bucket)) * 3U / redis::kSlots);
  }

  for (const int each : count) EXPECT_NEAR(each, 85, 12);
}

TEST(KeyNames, KeysAreSpreadEvenlyOverBuckets) {
  const KeyNames names{"shop", true};
  std::array<int, KeyNames::kBuckets> count{};
  for (int i = 0; i < 25'600; ++i) ++count.at(names.bucket("product", std::to_string(i)));

  for (const int each : count) EXPECT_NEAR(each, 100, 60);
}

}  // namespace
}  // namespace larder::shared
