#include "larder/detail/memory/arena.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace larder::detail {
namespace {

constexpr std::size_t kHeader = 4;

TEST(Arena, RoundsUpToMultiplesOfEightAndToTheLeastBlock) {
  EXPECT_EQ(Arena::rounded(1), 16U);
  EXPECT_EQ(Arena::rounded(17), 24U);
  EXPECT_EQ(Arena::rounded(24), 24U);
}

TEST(Arena, HasNoBlockForWhatDoesNotFit) {
  Arena arena{64 << 10};

  EXPECT_EQ(arena.allocate(65 << 10), 0U);
  EXPECT_NE(arena.allocate(60 << 10), 0U);
  EXPECT_EQ(arena.allocate(8 << 10), 0U);
}

TEST(Arena, KeepsBlocksBelowItsLimit) {
  Arena arena{64 << 10};
  arena.limit(1024);

  EXPECT_EQ(arena.allocate(2048), 0U);
  EXPECT_NE(arena.allocate(512), 0U);
  arena.limit(64 << 10);
  EXPECT_NE(arena.allocate(2048), 0U);
}

TEST(Arena, MergesFreeNeighboursWhateverTheOrderTheyAreReleasedIn) {
  Arena arena{4096};
  const Ref first = arena.allocate(1000);
  const Ref second = arena.allocate(1000);
  const Ref third = arena.allocate(1000);
  const Ref last = arena.allocate(1000);
  ASSERT_NE(last, 0U);

  arena.release(first);
  arena.release(third);
  arena.release(second);

  EXPECT_EQ(arena.allocate(3000), first);
}

TEST(Arena, FlagsOfABlockAreItsOwnersAndStartClear) {
  Arena arena{4096};
  const Ref block = arena.allocate(100);
  const std::size_t size = arena.size(block);
  EXPECT_EQ(arena.flags(block), 0U);

  arena.set_flags(block, 5);

  EXPECT_EQ(arena.flags(block), 5U);
  EXPECT_EQ(arena.size(block), size);
}

TEST(Arena, KnowsWhatIsFreeAndWhichPieceIsTheWidest) {
  Arena arena{1 << 20};
  const std::size_t all = arena.free_bytes();
  std::vector<Ref> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(arena.allocate(1000));
  EXPECT_EQ(arena.free_bytes(), all - 10'000);
  EXPECT_EQ(arena.widest_free(), 0U);

  arena.release(blocks[1]);
  arena.release(blocks[4]);
  arena.release(blocks[5]);

  EXPECT_EQ(arena.free_bytes(), all - 7'000);
  EXPECT_EQ(arena.widest_free(), blocks[4]);
}

TEST(Arena, IsWalkedOverBlockByBlock) {
  Arena arena{1 << 20};
  std::vector<Ref> blocks;
  for (std::size_t i = 0; i < 10; ++i) blocks.push_back(arena.allocate(100 + 100 * i));
  arena.release(blocks[3]);

  std::vector<Ref> walked;
  for (Ref block = blocks[0]; block != 0; block = arena.next(block)) walked.push_back(block);

  EXPECT_EQ(walked, blocks);
  EXPECT_TRUE(arena.is_free(blocks[3]));
  EXPECT_FALSE(arena.is_free(blocks[4]));
}

TEST(Arena, AFreeBlockThatWasTakenIsFreeAgainOnceItIsReleased) {
  Arena arena{1 << 20};
  const Ref first = arena.allocate(1000);
  const Ref second = arena.allocate(1000);
  const Ref last = arena.allocate(1000);
  arena.release(second);

  arena.take(second);
  EXPECT_FALSE(arena.is_free(second));
  EXPECT_EQ(arena.size(second), 1000U);
  EXPECT_GT(arena.allocate(1000), last);
  arena.release(second);
  arena.release(first);

  EXPECT_EQ(arena.widest_free(), first);
  EXPECT_EQ(arena.size(first), 2000U);
}

TEST(Arena, GivesBackWhatLiesBeyondALimitThatFell) {
  Arena arena{1 << 20};
  const Ref first = arena.allocate(1000);
  const Ref last = arena.allocate(1000);
  ASSERT_FALSE(arena.overhangs());

  arena.limit(1500);
  EXPECT_TRUE(arena.overhangs());
  EXPECT_EQ(arena.allocate(16), 0U);
  arena.trim();
  EXPECT_TRUE(arena.overhangs());  // a block is there
  EXPECT_EQ(arena.block_at(arena.limit()), last);
  arena.release(last);
  arena.trim();

  EXPECT_FALSE(arena.overhangs());
  EXPECT_LE(arena.resident(), 1500U);
  EXPECT_EQ(arena.block_at(900), first);
}

// Random sizes and orders: what lies in a block stays, each is found by its place, and at
// last all is one again.
class ArenaModel : public testing::TestWithParam<unsigned> {};

TEST_P(ArenaModel, BlocksKeepTheirBytesUntilTheyAreReleased) {
  std::mt19937_64 random{GetParam()};
  constexpr std::size_t kBytes = 256 << 10;
  Arena arena{kBytes};
  struct Held {
    Ref block;
    std::size_t bytes;
    char fill;
  };
  std::vector<Held> held;
  const auto is_whole = [&](const Held& each) {
    const char* const at = arena.at(each.block);
    for (std::size_t i = kHeader; i < each.bytes; ++i) {
      if (at[i] != each.fill) return false;
    }
    return arena.size(each.block) >= each.bytes;
  };

  for (int step = 0; step < 20'000; ++step) {
    for (Ref block = 1; step % 500 == 0 && !held.empty() && block != 0; block = arena.next(block)) {
      const auto place = static_cast<std::size_t>(arena.at(block) - arena.at(0));
      ASSERT_EQ(arena.block_at(place), block) << "at step " << step;
      ASSERT_EQ(arena.block_at(place + arena.size(block) - 1), block) << "at step " << step;
    }
    if (random() % 2 == 0) {
      const std::size_t bytes = 16 + random() % (random() % 8 == 0 ? 20'000 : 300);
      const Ref block = arena.allocate(bytes);
      if (block == 0) continue;
      const Held fresh{block, bytes, static_cast<char>(random())};
      std::memset(arena.at(block) + kHeader, fresh.fill, bytes - kHeader);
      held.push_back(fresh);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      ASSERT_TRUE(is_whole(held.back())) << "at step " << step;
      arena.release(held.back().block);
      held.pop_back();
    }
  }
  for (const Held& each : held) {
    ASSERT_TRUE(is_whole(each));
    arena.release(each.block);
  }

  EXPECT_NE(arena.allocate(kBytes - 64), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ArenaModel, testing::Range(1U, 6U));

}  // namespace
}  // namespace larder::detail
