// How much a tier evicts, moves and waits to make room, in tiers of all sizes.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>
#include <string>

#include "memory/byte_tier.hpp"

namespace larder {
namespace {

struct Traffic {
  const char* name;
  ByteCount capacity;
  std::size_t largest;        // value, bytes; the smallest has 16
  std::uint64_t for_barrier;  // evictions at least

  friend std::ostream& operator<<(std::ostream& out, const Traffic& traffic) {
    return out << traffic.name;
  }
};

class RoomTest : public testing::TestWithParam<Traffic> {
 protected:
  // Reads keys, a few much more often than most, and puts what is not there.
  void read_through(Bytes& tier, int reads) {
    std::uniform_real_distribution<double> share;
    for (int i = 0; i < reads; ++i) {
      const double drawn = share(random_);
      const auto key = static_cast<int>(kKeys * drawn * drawn * drawn);
      const std::string name = "product:" + std::to_string(key);
      if (tier.visit(name, now_, [](auto&&...) {})) continue;
      ASSERT_EQ(tier.put(name, value_of(key), live_until(now_ + 1h), now_), PutOutcome::kStored)
          << name;
    }
  }

  TimePoint now_{1h};

 private:
  static constexpr int kKeys = 100'000;

  // As many of each order of magnitude; the same size each time.
  static std::string value_of(int key) {
    std::minstd_rand random{static_cast<unsigned>(key) + 1};
    std::uniform_real_distribution<double> power;
    const double largest = static_cast<double>(GetParam().largest) / 16;
    return std::string(static_cast<std::size_t>(16 * std::pow(largest, power(random))), 'x');
  }

  std::mt19937 random_{7};
};

TEST_P(RoomTest, ManyAreEvictedForEachBarrierOfTheReaders) {
  Bytes tier{{.capacity = GetParam().capacity, .hash_seed = 7}};
  read_through(tier, 100'000);
  const MemoryStats full = tier.stats();

  read_through(tier, 100'000);

  const MemoryStats after = tier.stats();
  const std::uint64_t evictions = after.evictions - full.evictions;
  ASSERT_GT(evictions, 5'000U);
  EXPECT_LT((after.barriers - full.barriers) * GetParam().for_barrier, evictions)
      << after.barriers - full.barriers << " barriers for " << evictions << " evictions";
  EXPECT_GT(after.bytes, GetParam().capacity.bytes * 2 / 3);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RoomTest,
                         testing::Values(Traffic{"AlikeIn64KiB", 64_KiB, 16, 8},
                                         Traffic{"AlikeIn256KiB", 256_KiB, 16, 24},
                                         Traffic{"AlikeIn1MiB", 1_MiB, 16, 100},
                                         Traffic{"MixedIn256KiB", 256_KiB, 1024, 8},
                                         Traffic{"MixedIn4MiB", 4_MiB, 1024, 24},
                                         Traffic{"LargeIn4MiB", 4_MiB, 16'384, 4}),
                         [](const auto& tested) { return tested.param.name; });

// What tells the queues' time must not pile up where nothing is evicted.
TEST(Room, WhatIsErasedAndPutAgainTakesNoMoreOfIt) {
  const TimePoint now{1h};
  Bytes tier{{.capacity = 1_MiB, .hash_seed = 7}};
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = "session:" + std::to_string(i % 10);
    ASSERT_EQ(tier.put(key, "open", live_until(now + 1h), now), PutOutcome::kStored);
    tier.erase(key, now);
  }

  EXPECT_LT(tier.resident().bytes, 64U << 10);
  EXPECT_EQ(tier.put("page", std::string(500'000, 'x'), live_until(now + 1h), now),
            PutOutcome::kStored);
  EXPECT_EQ(tier.stats().evictions, 0U);
}

TEST(Room, WhatIsErasedAndPutAgainBehindWhatStaysTakesNoMoreOfIt) {
  const TimePoint now{1h};
  Bytes tier{{.capacity = 1_MiB, .hash_seed = 7}};
  const std::string row(500, 'x');
  ASSERT_EQ(tier.put("settings", row, live_until(now + 1h), now), PutOutcome::kStored);
  for (int i = 0; i < 100'000; ++i) {
    tier.erase("session:" + std::to_string((i + 5) % 10), now);
    const std::string key = "session:" + std::to_string(i % 10);
    ASSERT_EQ(tier.put(key, row, live_until(now + 1h), now), PutOutcome::kStored);
  }

  EXPECT_LT(tier.resident().bytes, 128U << 10);
  EXPECT_EQ(tier.stats().entries, 6U);
  EXPECT_EQ(tier.stats().evictions, 0U);
}

}  // namespace
}  // namespace larder
