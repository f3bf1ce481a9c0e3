// What goes when a tier is full. Policies are compared in tests/simulate.
#include "memory/byte_tier.hpp"

namespace larder {
namespace {

using EvictionTest = MemoryTierTest;

TEST_F(EvictionTest, AScanDoesNotFlushWhatIsInUse) {
  for (int i = 0; i < 100; ++i) put("hot:" + std::to_string(i), "x");
  for (int i = 0; i < 100; ++i) {
    (void)get("hot:" + std::to_string(i));
    (void)get("hot:" + std::to_string(i));
  }

  for (int i = 0; i < 20'000; ++i) put("scan:" + std::to_string(i), "x");

  int still = 0;
  for (int i = 0; i < 100; ++i) still += get("hot:" + std::to_string(i)).has_value();
  EXPECT_EQ(still, 100);
}

// It is not let in before somebody wants it again.
TEST_F(EvictionTest, OneHugeValueDoesNotFlushThousandsOfSmallOnes) {
  for (int i = 0; i < 20'000; ++i) put("small:" + std::to_string(i), "x");
  const MemoryStats before = tier_.stats();
  const std::string huge(400'000, 'x');

  put("huge", huge);

  EXPECT_EQ(get("huge"), std::nullopt);
  EXPECT_GT(tier_.stats().entries, before.entries - 10);  // a put may move the arena's end
  EXPECT_GT(tier_.stats().evictions, before.evictions);

  put("huge", huge);

  EXPECT_EQ(get("huge"), huge);
  EXPECT_LT(tier_.stats().entries, before.entries / 2);
}

// Once it is let in. What lies scattered in its way is moved, were it the table's alone or on
// both sides of the copy that it replaces; and it does not reach where memory goes back at once.
TEST_F(EvictionTest, ALargeValueStaysAndLeavesOthersHoweverHashesFall) {
  const auto stays = [&](std::size_t size, std::uint64_t seed) {
    Bytes tier{{.capacity = 1_MiB, .hash_seed = seed}};
    const auto put = [&](const std::string& key, std::string_view value) {
      return tier.put(key, value, live_until(now_ + 1h), now_);
    };
    const std::string large(size, 'x');
    for (int i = 0; i < 20'000; ++i) (void)put("small:" + std::to_string(i), "x");
    (void)put("large", large);
    return put("large", large) == PutOutcome::kStored &&
           tier.visit("large", now_, [](auto&&...) {}) && tier.stats().entries > 500;
  };

  for (std::uint64_t seed = 15; seed < 20; ++seed) EXPECT_TRUE(stays(60'000, seed)) << seed;
  for (std::uint64_t seed = 35; seed < 45; ++seed) EXPECT_TRUE(stays(400'000, seed)) << seed;
}

// It has to come back the sooner, the more it would push out.
TEST_F(EvictionTest, WhatIsLargeReturnsWhereItIsReadMoreOftenThanWhatItPushesOut) {
  const auto returns_after = [&](std::size_t size, int others) {
    Bytes tier{{.capacity = 1_MiB, .hash_seed = 7}};
    const auto put = [&](const std::string& key, std::string_view value) {
      ASSERT_EQ(tier.put(key, value, live_until(now_ + 1h), now_), PutOutcome::kStored);
    };
    const std::string value(size, 'x');
    for (int i = 0; i < 30'000; ++i) put("first:" + std::to_string(i), "x");
    put("it", value);
    for (int i = 0; i < others; ++i) put("other:" + std::to_string(i), "x");
    put("it", value);
    return tier.visit("it", now_, [](auto&&...) {});
  };

  EXPECT_TRUE(returns_after(400'000, 100));
  EXPECT_FALSE(returns_after(400'000, 10'000));
  EXPECT_TRUE(returns_after(1'000, 10'000));
}

}  // namespace
}  // namespace larder
