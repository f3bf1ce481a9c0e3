#include "larder/detail/memory/readers.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <optional>
#include <thread>
#include <vector>

namespace larder::detail {
namespace {

// A reader that leaves when it is told to.
struct Inside {
  explicit Inside(Readers& readers) : section{readers.enter()} {}
  Readers::Section section;
};

using Gone = Readers::Gone;

TEST(Readers, AreAllGoneWhenNobodyCame) {
  Readers readers;

  EXPECT_EQ(readers.gone(), Gone::kAll);
}

TEST(Readers, OfThePhaseThatWasLeftHoldItsBatchBack) {
  Readers readers;
  std::optional<Inside> inside{std::in_place, readers};
  EXPECT_EQ(readers.gone(), Gone::kOther);
  readers.change();

  EXPECT_EQ(readers.gone(), Gone::kNone);
  inside.reset();
  EXPECT_EQ(readers.gone(), Gone::kAll);
}

TEST(Readers, OfTheNewPhaseHoldTheirOwnBatchBackAndNotTheOldOne) {
  Readers readers;
  readers.change();

  const auto inside = readers.enter();

  EXPECT_EQ(readers.gone(), Gone::kOther);
}

TEST(Readers, AThreadMayBeInsideMoreThanOnce) {
  Readers readers;
  std::optional<Inside> outer{std::in_place, readers};
  {
    const auto inner = readers.enter();
  }
  EXPECT_EQ(readers.gone(), Gone::kOther);
  readers.change();

  EXPECT_EQ(readers.gone(), Gone::kNone);
  outer.reset();
  EXPECT_EQ(readers.gone(), Gone::kAll);
}

// More threads than there are lines of their own: the rest share some.
TEST(Readers, AreSeenEachHoweverManyThreadsThereAre) {
  constexpr unsigned kThreads = kOwnLines + kSharedLines + 4;
  Readers readers;
  std::barrier entered{kThreads + 1};
  std::barrier leave{kThreads + 1};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto inside = readers.enter();
      entered.arrive_and_wait();
      leave.arrive_and_wait();
    });
  }
  entered.arrive_and_wait();
  readers.change();

  EXPECT_EQ(readers.gone(), Gone::kNone);
  leave.arrive_and_wait();
  threads.clear();
  EXPECT_EQ(readers.gone(), Gone::kAll);
}

// A block is overwritten only when the scheme says that nobody can see it.
TEST(Readers, NeverSeeABlockReused) {
  constexpr int kBlocks = 64;
  constexpr int kRounds = 20'000;
  struct Block {
    int first = 0;
    int second = 0;
  };
  std::vector<Block> blocks(kBlocks);
  std::vector<int> free;
  for (int i = 1; i < kBlocks; ++i) free.push_back(i);
  std::array<std::vector<int>, 2> limbo;
  std::atomic<int> current{0};
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  Readers readers;

  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        const auto inside = readers.enter();
        const Block& seen = blocks[static_cast<std::size_t>(current.load())];
        torn += seen.first == seen.second ? 0 : 1;
      }
    });
  }
  for (int round = 1; round <= kRounds; ++round) {
    while (free.empty()) {
      const Gone gone = readers.gone();
      if (gone == Gone::kNone) continue;
      free.swap(limbo[readers.batch() ^ 1U]);
      if (gone == Gone::kOther) readers.change();
      if (gone == Gone::kAll) {
        std::vector<int>& own = limbo[readers.batch()];
        free.insert(free.end(), own.begin(), own.end());
        own.clear();
      }
    }
    const int fresh = free.back();
    free.pop_back();
    blocks[static_cast<std::size_t>(fresh)] = {round, round};
    const int old = current.exchange(fresh);
    limbo[readers.batch()].push_back(old);
  }
  done = true;
  threads.clear();

  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace larder::detail
