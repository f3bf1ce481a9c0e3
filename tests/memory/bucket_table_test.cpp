#include "larder/detail/memory/bucket_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

namespace larder::detail {
namespace {

std::uint64_t mixed(std::uint64_t number) {
  std::uint64_t z = (number + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  return z ^ (z >> 31);
}

// A table whose entries are numbers: what a reference leads to is not its affair.
class BucketTableTest : public testing::Test {
 protected:
  void insert(Ref entry) {
    ASSERT_TRUE(table_.insert(hash(entry), entry));
    split_where_crowded();
  }
  [[nodiscard]] bool has(Ref entry) const {
    return table_.find(hash(entry), [entry](Ref ref) { return ref == entry; }) == entry;
  }
  void split_where_crowded() {
    if (!table_.crowded()) return;
    table_.split([this](Ref ref) { return hash(ref); },
                 [this](Ref overflow) { retired_.push_back(overflow); });
  }
  [[nodiscard]] std::set<Ref> scanned() const {
    std::set<Ref> seen;
    std::uint64_t cursor = 0;
    do {
      cursor = table_.scan(cursor, [&](Ref ref) { seen.insert(ref); });
    } while (cursor != 0);
    return seen;
  }
  // Many hashes alike, so that buckets overflow.
  [[nodiscard]] std::uint64_t hash(Ref entry) const { return mixed(entry / alike_); }

  Ref alike_ = 1;
  Arena arena_{8 << 20};
  BucketRange range_{4, 100'000};
  BucketTable table_{arena_, range_, 3};
  BucketTable other_{arena_, range_, 2};  // its buckets lie between the other's
  std::vector<Ref> retired_;
};

TEST_F(BucketTableTest, FindsWhatIsInAtEverySize) {
  for (Ref entry = 1; entry <= 20'000; ++entry) insert(entry);

  for (Ref entry = 1; entry <= 20'000; ++entry) ASSERT_TRUE(has(entry)) << entry;
  EXPECT_FALSE(has(20'001));
  EXPECT_NEAR(static_cast<double>(table_.buckets()), 20'000 / 7.0, 2);
}

TEST_F(BucketTableTest, HoldsEntriesOfOneHashInOverflowBuckets) {
  alike_ = 100;
  for (Ref entry = 1; entry <= 5000; ++entry) insert(entry);

  for (Ref entry = 1; entry <= 5000; ++entry) ASSERT_TRUE(has(entry)) << entry;
}

TEST_F(BucketTableTest, AReplacedEntryIsFoundInItsPlace) {
  for (Ref entry = 1; entry <= 1000; ++entry) insert(entry);
  const Ref fresh = 1'000'000;

  table_.replace(hash(500), 500, fresh);

  EXPECT_EQ(table_.find(hash(500), [=](Ref ref) { return ref == fresh; }), fresh);
  EXPECT_FALSE(has(500));
}

TEST_F(BucketTableTest, FindsWhatIsInOverflowBucketsThatHaveMoved) {
  alike_ = 100;
  for (Ref entry = 1; entry <= 5000; ++entry) insert(entry);
  std::vector<Ref> overflows;  // none was given back, and nothing else is in the arena
  for (Ref block = 1; block != 0; block = arena_.next(block)) {
    if (std::ranges::find(retired_, block) == retired_.end()) overflows.push_back(block);
  }
  ASSERT_GT(overflows.size(), 100U);

  for (const Ref overflow : overflows) {
    ASSERT_EQ(arena_.flags(overflow), kOverflow);
    ASSERT_TRUE(table_.move(overflow));
    std::memset(arena_.at(overflow) + 4, 0xFF, arena_.size(overflow) - 4);  // but its header
  }

  for (Ref entry = 1; entry <= 5000; ++entry) ASSERT_TRUE(has(entry)) << entry;
  for (Ref entry = 5001; entry <= 10'000; ++entry) insert(entry);
  EXPECT_EQ(scanned().size(), 10'000U);
}

TEST_F(BucketTableTest, RefusesAnEntryForWhichThereIsNoOverflowBucket) {
  alike_ = 1'000'000;  // all in one bucket
  arena_.limit(64);
  for (Ref entry = 1; entry <= 12; ++entry) ASSERT_TRUE(table_.insert(hash(entry), entry));

  EXPECT_FALSE(table_.insert(hash(13), 13));
  EXPECT_TRUE(has(12));
  EXPECT_FALSE(has(13));
}

TEST_F(BucketTableTest, TablesOfOneRangeKeepOutOfEachOthersBuckets) {
  for (Ref entry = 1; entry <= 20'000; ++entry) {
    insert(entry);
    ASSERT_TRUE(other_.insert(hash(entry), 100'000 + entry));
    if (other_.crowded()) {
      other_.split([this](Ref ref) { return hash(ref - 100'000); }, [](Ref) {});
    }
  }

  for (Ref entry = 1; entry <= 20'000; ++entry) {
    const Ref others = 100'000 + entry;
    ASSERT_TRUE(has(entry)) << entry;
    ASSERT_EQ(other_.find(hash(entry), [=](Ref ref) { return ref == others; }), others);
  }
}

// Random insertions, erasures and splits against a plain set.
class BucketTableModel : public BucketTableTest, public testing::WithParamInterface<unsigned> {};

TEST_P(BucketTableModel, HoldsWhatASetHolds) {
  std::mt19937_64 random{GetParam()};
  alike_ = 1 + static_cast<Ref>(random() % 30);
  std::set<Ref> model;

  for (int step = 0; step < 50'000; ++step) {
    const auto entry = static_cast<Ref>(1 + random() % 6000);
    if (model.erase(entry) > 0) {
      table_.erase(hash(entry), entry);
    } else if (random() % 4 != 0) {
      insert(entry);
      model.insert(entry);
    }
    ASSERT_EQ(has(entry), model.contains(entry)) << "at step " << step;
  }

  EXPECT_EQ(scanned(), model);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BucketTableModel, testing::Range(1U, 6U));

TEST_F(BucketTableTest, AReaderMissesNothingWhileBucketsSplit) {
  alike_ = 8;
  for (Ref entry = 1; entry <= 500; ++entry) insert(entry);
  std::atomic<bool> grown{false};
  std::atomic<int> missed{0};

  std::jthread reader{[&] {
    do {
      for (Ref entry = 1; entry <= 500; ++entry) missed += has(entry) ? 0 : 1;
    } while (!grown);
  }};
  for (Ref entry = 501; entry <= 30'000; ++entry) insert(entry);  // what is retired is not reused
  grown = true;
  reader.join();

  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace larder::detail
