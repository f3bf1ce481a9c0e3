#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "memory/byte_tier.hpp"

namespace larder {
namespace {

TEST_F(MemoryTierTest, KeepsWhatWasPut) {
  put("product:42", "teapot");

  EXPECT_EQ(get("product:42"), "teapot");
  EXPECT_EQ(get("product:43"), std::nullopt);
}

TEST_F(MemoryTierTest, KeysAndValuesMayBeEmptyAndHoldAnyByte) {
  put("", std::string_view{"\0\r\n", 3});

  EXPECT_EQ(get(""), std::string("\0\r\n", 3));
}

TEST_F(MemoryTierTest, NeverServesWhatHasExpired) {
  put("product:42", "teapot", 60s);

  now_ += 60s;

  EXPECT_EQ(get("product:42"), std::nullopt);
  EXPECT_FALSE(tier_.erase("product:42", now_));
  EXPECT_EQ(tier_.stats().expirations, 1U);
}

TEST_F(MemoryTierTest, GivesBackTheMemoryOfTheExpired) {
  for (int i = 0; i < 100; ++i) put("short:" + std::to_string(i), "x", 10s);
  for (int i = 0; i < 100; ++i) put("long:" + std::to_string(i), "x", 10h);

  now_ += 11s;
  const auto expired = tier_.expire(now_, 1000);

  EXPECT_EQ(expired, 100U);
  EXPECT_EQ(tier_.stats().entries, 100U);
  now_ += 10h;
  EXPECT_EQ(tier_.expire(now_, 1000), 100U);
  EXPECT_EQ(tier_.stats().bytes, 0U);
}

TEST_F(MemoryTierTest, ExpiresNoMoreAtATimeThanItIsToldTo) {
  for (int i = 0; i < 100; ++i) put(std::to_string(i), "x", 10s);
  now_ += 11s;

  EXPECT_EQ(tier_.expire(now_, 30), 30U);
  EXPECT_EQ(tier_.expire(now_, 1000), 70U);
}

TEST_F(MemoryTierTest, StaysWithinItsCapacity) {
  const std::string value(1000, 'x');
  for (int i = 0; i < 10'000; ++i) put(std::to_string(i), value);

  const auto stats = tier_.stats();

  EXPECT_LE(stats.bytes, (1_MiB).bytes);
  EXPECT_GT(stats.bytes, (1_MiB).bytes * 9 / 10);
  EXPECT_EQ(stats.entries + stats.evictions, 10'000U);
}

// Buckets that overflow need memory too, which a full tier must make room for.
TEST_F(MemoryTierTest, AFullTierTakesSmallEntriesHoweverTheirHashesFall) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Bytes tier{{.capacity = 1_MiB, .hash_seed = seed}};

    for (int i = 0; i < 20'000; ++i) {
      ASSERT_EQ(tier.put("scan:" + std::to_string(i), "x", live_until(now_ + 1h), now_),
                PutOutcome::kStored)
          << "seed " << seed << ", entry " << i;
    }
  }
}

// What is free lies scattered between small entries, and is brought together for large ones.
TEST_F(MemoryTierTest, MakesRoomForLargeEntriesAmongSmallOnesWithoutLosingMuchMore) {
  Bytes tier{{.capacity = 4_MiB, .shards = 1}};
  const auto put = [&](const std::string& key, const std::string& value) {
    ASSERT_EQ(tier.put(key, value, live_until(now_ + 1h), now_), PutOutcome::kStored) << key;
  };
  for (int i = 0; i < 100'000; ++i) put("small:" + std::to_string(i), "x");
  const std::uint64_t full = tier.stats().bytes;

  for (int i = 0; i < 200; ++i) put("large:" + std::to_string(i), std::string(40'000, 'y'));

  EXPECT_GT(tier.stats().bytes, full * 9 / 10);
  std::uint64_t smalls = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = "small:" + std::to_string(i);
    smalls += tier.visit(key, now_,
                         [](std::string_view value, const EntryInfo&) { ASSERT_EQ(value, "x"); });
  }
  EXPECT_GT(smalls, 0U);
}

// The table and the ghosts grow with small entries, in memory that large ones had filled.
TEST_F(MemoryTierTest, HoldsNoMoreMemoryThanItsCapacityWhenSmallEntriesFollowLargeOnes) {
  constexpr ByteCount kCapacity = 4_MiB;
  constexpr std::uint64_t kSoonGivenBack = 300 << 10;  // the ghosts grow at once
  Bytes tier{{.capacity = kCapacity, .shards = 1}};
  const auto put = [&](const std::string& key, const std::string& value) {
    ASSERT_EQ(tier.put(key, value, live_until(now_ + 1h), now_), PutOutcome::kStored) << key;
  };
  for (int i = 0; i < 200; ++i) put("large:" + std::to_string(i), std::string(40'000, 'y'));
  ASSERT_GT(tier.resident().bytes, kCapacity.bytes * 15 / 16);  // a sixteenth is left free

  for (int i = 0; i < 100'000; ++i) {
    const std::string key = "small:" + std::to_string(i);
    put(key, std::to_string(i));
    tier.visit(key, now_, [](auto&&...) {});  // so that they take the large ones' room
    ASSERT_LE(tier.resident().bytes, kCapacity.bytes + kSoonGivenBack) << "at entry " << i;
  }

  EXPECT_LE(tier.resident().bytes, kCapacity.bytes);
  EXPECT_GT(tier.stats().entries, 40'000U);
  EXPECT_GT(tier.stats().bytes, kCapacity.bytes * 7 / 10);
  for (int i = 0; i < 100'000; ++i) {
    tier.visit("small:" + std::to_string(i), now_, [i](std::string_view value, const EntryInfo&) {
      ASSERT_EQ(value, std::to_string(i));
    });
  }
}

TEST_F(MemoryTierTest, RefusesWhatIsLargerThanItselfAndDropsTheOldCopy) {
  put("page", "small");

  const auto outcome = tier_.put("page", std::string(2 << 20, 'x'), live_until(now_ + 1h), now_);

  EXPECT_EQ(outcome, PutOutcome::kTooLarge);
  EXPECT_EQ(get("page"), std::nullopt);
}

TEST_F(MemoryTierTest, AnUpdateWhoseValueIsTooLargeLeavesWhatWas) {
  put("page", "small", 10s);
  const std::string large(2 << 20, 'x');

  const auto outcome = tier_.update(
      "page", now_, [&](auto&&...) { return Bytes::Update::store(large, live_until(now_ + 1h)); });

  EXPECT_EQ(outcome.put, PutOutcome::kTooLarge);
  EXPECT_EQ(get("page"), "small");
  EXPECT_EQ(tier_.stats().entries, 1U);
  now_ += 10s;
  EXPECT_EQ(get("page"), std::nullopt);
}

TEST_F(MemoryTierTest, CountsWhatItDoesNotStore) {
  (void)tier_.put("page", std::string(2 << 20, 'x'), live_until(now_ + 1h), now_);
  put("page", "small", 10s);

  EXPECT_EQ(tier_.stats().too_large, 1U);
  EXPECT_EQ(tier_.stats().no_memory, 0U);
}

TEST_F(MemoryTierTest, CountsAbsencesApart) {
  EntryInfo absent = live_until(now_ + 1h);
  absent.absent = true;
  put("page", "here", 10s);
  (void)tier_.put("other", {}, absent, now_);
  (void)tier_.put("third", {}, absent, now_);
  EXPECT_EQ(tier_.stats().entries, 3U);
  EXPECT_EQ(tier_.stats().absences, 2U);

  put("other", "here too", 10s);
  EXPECT_EQ(tier_.stats().absences, 1U);

  tier_.clear();
  EXPECT_EQ(tier_.stats().absences, 0U);
}

TEST_F(MemoryTierTest, TellsBeforehandWhatItCannotKeep) {
  const EntryInfo info = live_until(now_ + 1h);
  EXPECT_EQ(Bytes::largest_entry({.capacity = 256_MiB}), 32_MiB);
  EXPECT_EQ(Bytes::largest_entry({.capacity = 8_MiB, .shards = 12}), 1_MiB);  // 8 shards

  EXPECT_TRUE(tier_.takes("page", "small", info));
  EXPECT_FALSE(tier_.takes("page", std::string(2 << 20, 'x'), info));
}

// A key that cannot be copied while `fails`, as when the system has no memory.
struct Scarce {
  explicit Scarce(int number) : number{number} {}
  Scarce(const Scarce& other) : number{other.number} {
    if (fails) throw std::bad_alloc{};
  }
  Scarce& operator=(const Scarce&) = delete;
  ~Scarce() = default;
  friend bool operator==(const Scarce& a, const Scarce& b) { return a.number == b.number; }
  friend std::size_t hash_value(const Scarce& key) { return static_cast<std::size_t>(key.number); }

  int number;
  static bool fails;
};
bool Scarce::fails = false;

class ScarceTest : public testing::Test {
 public:
  using Tier = MemoryTier<Scarce, std::string>;

  ScarceTest() {
    Scarce::fails = false;
    for (int i = 0; i < 100; ++i) (void)tier_.put(Scarce{i}, "old", live_until(now_ + 1h), now_);
    Scarce::fails = true;
  }
  ~ScarceTest() override { Scarce::fails = false; }

  std::optional<std::string> get(int key) {
    std::optional<std::string> value;
    tier_.visit(Scarce{key}, now_, [&](std::string_view seen, const EntryInfo&) { value = seen; });
    return value;
  }

  TimePoint now_{1h};
  Tier tier_{{.capacity = 1_MiB}};
};

TEST_F(ScarceTest, AnUpdateForWhichThereIsNoMemoryLeavesWhatWas) {
  const auto outcome = tier_.update(Scarce{42}, now_, [&](auto&&...) {
    return Tier::Update::store("new", live_until(now_ + 1h));
  });

  EXPECT_EQ(outcome.put, PutOutcome::kNoMemory);
  EXPECT_EQ(get(42), "old");
  EXPECT_EQ(tier_.stats().entries, 100U);
  EXPECT_TRUE(tier_.erase(Scarce{42}, now_));
}

TEST_F(ScarceTest, OtherTimesForWhichThereIsNoMemoryLeaveThoseThatWere) {
  const auto outcome = tier_.update(
      Scarce{42}, now_, [&](auto&&...) { return Tier::Update::set_info(live_until(now_ + 2h)); });

  EXPECT_EQ(outcome.put, PutOutcome::kNoMemory);
  EXPECT_EQ(get(42), "old");
  now_ += 1h;
  EXPECT_EQ(get(42), std::nullopt);
}

TEST_F(ScarceTest, APutForWhichThereIsNoMemoryDropsTheOldCopy) {
  const auto outcome = tier_.put(Scarce{42}, "new", live_until(now_ + 1h), now_);

  EXPECT_EQ(outcome, PutOutcome::kNoMemory);
  EXPECT_EQ(get(42), std::nullopt);
  EXPECT_EQ(tier_.stats().entries, 99U);
  EXPECT_EQ(tier_.stats().no_memory, 1U);
}

TEST_F(MemoryTierTest, ACapacityBelowOneEntryHoldsNothing) {
  Bytes tiny{{.capacity = 1_B}};

  EXPECT_EQ(tiny.put("a", "b", live_until(now_ + 1h), now_), PutOutcome::kTooLarge);
  EXPECT_EQ(tiny.stats().entries, 0U);
}

TEST_F(MemoryTierTest, AnUpdateSeesWhatIsThereAndDecides) {
  put("count", "1");

  const auto outcome =
      tier_.update("count", now_, [&](const std::string_view* value, const EntryInfo* info) {
        EXPECT_EQ(*value, "1");
        return Bytes::Update::store("2", *info);
      });
  const auto missing =
      tier_.update("other", now_, [&](const std::string_view* value, const EntryInfo* info) {
        EXPECT_EQ(value, nullptr);
        EXPECT_EQ(info, nullptr);
        return Bytes::Update::keep();
      });

  EXPECT_TRUE(outcome.existed);
  EXPECT_FALSE(missing.existed);
  EXPECT_EQ(get("count"), "2");
}

TEST_F(MemoryTierTest, AnUpdateMayChangeTheTimesAlone) {
  put("session", "x", 10s);

  tier_.update("session", now_, [&](const std::string_view*, const EntryInfo* info) {
    EntryInfo longer = *info;
    longer.usable_until = now_ + 1h;
    return Bytes::Update::set_info(longer);
  });

  now_ += 30min;
  EXPECT_EQ(get("session"), "x");
  EXPECT_EQ(tier_.expire(now_, 100), 0U);
  now_ += 31min;
  EXPECT_EQ(tier_.expire(now_, 100), 1U);
}

TEST_F(MemoryTierTest, ACacheIsClearedWithoutItsNeighbours) {
  put("product:1", "a", 60s, 0);
  put("session:1", "b", 60s, 1);

  tier_.clear(Space{0});

  EXPECT_EQ(get("product:1"), std::nullopt);
  EXPECT_EQ(get("session:1"), "b");
  EXPECT_EQ(tier_.stats(1).entries, 1U);
  EXPECT_EQ(tier_.stats(0).bytes, 0U);
}

TEST_F(MemoryTierTest, WhatWasClearedIsSweptOutLittleByLittle) {
  MemoryTier<int, std::vector<int>> tier{{.capacity = 1_MiB}};
  std::vector<std::weak_ptr<const std::vector<int>>> values;
  for (int i = 0; i < 1000; ++i) {
    const auto value = std::make_shared<const std::vector<int>>(10, i);
    ASSERT_EQ(tier.put(i, value, live_until(now_ + 1h), now_), PutOutcome::kStored);
    values.emplace_back(value);
  }
  const auto gone = [&] {
    return std::ranges::count_if(values, [](const auto& value) { return value.expired(); });
  };

  tier.clear();
  EXPECT_EQ(gone(), 0);
  int calls = 0;
  while (gone() < 1000 && calls < 1000) {
    EXPECT_EQ(tier.expire(now_, 10), 0U);  // cleared is not expired
    ++calls;
  }

  EXPECT_EQ(gone(), 1000);
  EXPECT_GT(calls, 3);
}

TEST_F(MemoryTierTest, GenerationsComeRoundWithoutBringingBackWhatWasCleared) {
  put("page", "old");

  for (int i = 0; i < 256; ++i) tier_.clear();

  EXPECT_EQ(get("page"), std::nullopt);
  put("page", "new");
  EXPECT_EQ(get("page"), "new");
  EXPECT_EQ(tier_.stats().entries, 1U);
}

TEST_F(MemoryTierTest, AScanSeesAllThatStaysWhileTheTableGrows) {
  for (int i = 0; i < 1000; ++i) put("stays:" + std::to_string(i), "x");
  std::set<std::string> seen;
  std::uint64_t cursor = 0;
  int grown = 0;

  do {
    cursor =
        tier_.scan(cursor, 10, now_, [&](std::string_view key, std::string_view, const EntryInfo&) {
          if (key.starts_with("stays:")) seen.emplace(key);
        });
    for (int i = 0; i < 20; ++i) put("grows:" + std::to_string(grown++), "x");
  } while (cursor != 0);

  EXPECT_EQ(seen.size(), 1000U);
}

TEST_F(MemoryTierTest, TypedValuesAreSharedWithTheirReaders) {
  MemoryTier<int, std::vector<int>> tier{{.capacity = 1_MiB}};
  const auto value = std::make_shared<const std::vector<int>>(100, 7);
  ASSERT_EQ(tier.put(1, value, live_until(now_ + 1h), now_), PutOutcome::kStored);
  Handle<std::vector<int>> held;

  tier.visit(1, now_, [&](const auto& seen, const EntryInfo&) { held = seen; });
  tier.clear();

  EXPECT_EQ(held, value);
  EXPECT_EQ(held->at(99), 7);
}

// Random operations against a plain map: without eviction the tier is one.
class MemoryTierModel : public testing::TestWithParam<int> {};

TEST_P(MemoryTierModel, BehavesAsAMapWithExpiry) {
  std::mt19937_64 random{static_cast<std::uint64_t>(GetParam())};
  Bytes tier{{.capacity = 64_MiB}};
  std::map<std::string, std::pair<std::string, TimePoint>> model;
  TimePoint now{1h};

  for (int step = 0; step < 20'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 300);
    const auto found = model.find(key);
    const bool there = found != model.end() && now < found->second.second;
    switch (random() % 6) {
      case 0:
      case 1: {
        const std::string value(random() % 200, static_cast<char>(random()));
        const TimePoint until = now + std::chrono::milliseconds{1 + random() % 2'000'000};
        ASSERT_EQ(tier.put(key, value, live_until(until), now), PutOutcome::kStored);
        model[key] = {value, until};
        break;
      }
      case 2:
        ASSERT_EQ(tier.erase(key, now), there);
        model.erase(key);
        break;
      case 3: now += std::chrono::milliseconds{random() % 5000}; break;
      case 4: tier.expire(now, random() % 50); break;
      default: {
        std::optional<std::string> seen;
        tier.visit(key, now, [&](std::string_view value, const EntryInfo&) { seen = value; });
        ASSERT_EQ(seen.has_value(), there) << key << " at step " << step;
        if (there) ASSERT_EQ(*seen, found->second.first);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MemoryTierModel, testing::Range(1, 11));

// A small tier whose entries' sizes change all the time, so that they are moved about:
// what is still there is what was put last, with its times.
TEST_P(MemoryTierModel, ServesWhatWasPutLastWhileEntriesAreMovedAbout) {
  std::mt19937_64 random{static_cast<std::uint64_t>(GetParam())};
  Bytes tier{{.capacity = 1_MiB, .shards = 1}};
  std::map<std::string, std::pair<std::string, TimePoint>> model;
  TimePoint now{1h};
  std::uint64_t hits = 0;

  for (int step = 0; step < 60'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 4000);
    const std::size_t most = step / 10'000 % 2 == 1 ? 64 : 32'000;
    if (random() % 3 == 0) {
      const std::string value(random() % most, static_cast<char>(random()));
      const TimePoint until = now + std::chrono::milliseconds{1 + random() % 2'000'000};
      ASSERT_EQ(tier.put(key, value, live_until(until), now), PutOutcome::kStored);
      model[key] = {value, until};
    } else {
      tier.visit(key, now, [&](std::string_view value, const EntryInfo& info) {
        ASSERT_TRUE(model.contains(key)) << key << " at step " << step;
        ASSERT_EQ(value, model[key].first) << key << " at step " << step;
        ASSERT_EQ(info.usable_until, model[key].second);
        ++hits;
      });
    }
    if (step % 1000 == 0) now += std::chrono::milliseconds{random() % 60'000};
    if (step % 777 == 0) tier.expire(now, 100);
  }

  EXPECT_GT(hits, 1000U);
  while (tier.expire(now + 24h, 1000) > 0) {
  }
  EXPECT_EQ(tier.stats().entries, 0U);
  EXPECT_EQ(tier.stats().bytes, 0U);
}

TEST(MemoryTierThreads, ReadersSeeWholeValuesWhileEntriesAreMovedAbout) {
  Bytes tier{{.capacity = 1_MiB, .shards = 1}};
  const TimePoint now{1h};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  {
    std::vector<std::jthread> readers;
    for (unsigned t = 0; t < 2; ++t) {
      readers.emplace_back([&, t] {
        std::mt19937 random{t};
        while (!done) {
          const std::string key = std::to_string(random() % 5000);
          tier.visit(key, now, [&](std::string_view value, const EntryInfo&) {
            // Not all of it: the writer waits for who looks.
            if (!value.empty()) torn += value.front() != key[0] || value.back() != key[0];
          });
        }
      });
    }
    std::mt19937 random{7};
    for (int i = 0; i < 6000; ++i) {
      const std::string key = std::to_string(random() % 5000);
      const std::size_t most = i / 1000 % 2 == 1 ? 64 : 32'000;
      tier.put(key, std::string(random() % most, key[0]), live_until(now + 1h), now);
    }
    done = true;
  }

  EXPECT_EQ(torn, 0U);
}

TEST(MemoryTierThreads, ReadersNeverSeeWhatWasClearedBeforeTheyCame) {
  Bytes tier{{.capacity = 64_KiB}};
  const TimePoint now{1h};
  std::atomic<int> cleared{0};
  std::atomic<bool> done{false};
  std::atomic<int> stale{0};
  {
    std::vector<std::jthread> readers;
    for (unsigned t = 0; t < 2; ++t) {
      readers.emplace_back([&] {
        while (!done) {
          const int gone = cleared;
          tier.visit("key", now, [&](std::string_view value, const EntryInfo&) {
            stale += std::stoi(std::string(value)) <= gone;
          });
        }
      });
    }
    for (int i = 1; i <= 100'000; ++i) {
      tier.put("key", std::to_string(i), live_until(now + 1h), now);
      tier.clear();
      cleared = i;
      tier.expire(now, 10);  // sweeps it out
    }
    done = true;
  }

  EXPECT_EQ(stale, 0);
}

TEST(MemoryTierThreads, ReadersNeverSeeATornValue) {
  Bytes tier{{.capacity = 64_KiB}};
  const TimePoint now{1h};
  std::atomic<int> torn{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random{t};
        for (int i = 0; i < 20'000; ++i) {
          const std::string key = std::to_string(random() % 200);
          switch (random() % 4) {
            case 0:
              tier.put(key, std::string(random() % 500, key[0]), live_until(now + 1h), now);
              break;
            case 1: tier.erase(key, now); break;
            default:
              tier.visit(key, now, [&](std::string_view value, const EntryInfo&) {
                for (const char byte : value) torn += byte != key[0];
              });
          }
        }
      });
    }
  }

  EXPECT_EQ(torn, 0);
  EXPECT_LE(tier.stats().bytes, (64_KiB).bytes);
}

}  // namespace
}  // namespace larder
