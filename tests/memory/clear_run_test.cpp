#include "larder/detail/memory/clear_run.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

namespace larder::detail {
namespace {

// An arena full of blocks, each of which holds its own number again and again.
class ClearRunTest : public testing::TestWithParam<unsigned> {
 protected:
  void fill() {
    for (;;) {
      const std::size_t bytes = 16 + 8 * (random_() % 20);
      const Ref block = arena_.allocate(bytes);
      if (block == 0) return;
      write(block, next_++);
    }
  }
  void write(Ref block, std::uint32_t number) {
    std::memset(arena_.at(block) + kHeader, static_cast<int>(number & 0xFF),
                arena_.size(block) - kHeader);
    held_[block] = number;
  }
  void release_every(unsigned nth) {
    std::vector<Ref> going;
    for (const auto& [block, number] : held_) {
      if (random_() % nth == 0) going.push_back(block);
    }
    for (const Ref block : going) {
      held_.erase(block);
      arena_.release(block);
    }
  }
  bool move_away(Ref block) {
    const std::uint32_t number = held_.at(block);
    const Ref fresh = arena_.allocate(arena_.size(block));
    if (fresh == 0) return false;
    held_.erase(block);
    write(fresh, number);
    gone_.push_back(block);
    return true;
  }
  void let_go() {
    for (const Ref block : gone_) arena_.release(block);
    gone_.clear();
  }
  bool clear(std::size_t bytes) {
    return clear_run(
        arena_, bytes, [this](Ref block) { return move_away(block); }, [this] { let_go(); });
  }
  void expect_all_whole() const {
    for (const auto& [block, number] : held_) {
      const char* const at = arena_.at(block);
      for (std::size_t i = kHeader; i < arena_.size(block); ++i) {
        ASSERT_EQ(static_cast<unsigned char>(at[i]), number & 0xFF) << "of block " << number;
      }
    }
  }

  static constexpr std::size_t kHeader = sizeof(std::uint32_t);

  std::mt19937_64 random_{GetParam()};
  Arena arena_{256 << 10};
  std::unordered_map<Ref, std::uint32_t> held_;
  std::vector<Ref> gone_;
  std::uint32_t next_ = 0;
};

TEST_P(ClearRunTest, MakesALargeBlockOfManySmallOnes) {
  fill();
  release_every(4);
  const std::size_t blocks = held_.size();
  const std::size_t free = arena_.free_bytes();
  ASSERT_EQ(arena_.allocate(20'000), 0U);

  ASSERT_TRUE(clear(20'000));

  EXPECT_EQ(held_.size(), blocks);  // all are somewhere
  EXPECT_EQ(arena_.free_bytes(), free);
  expect_all_whole();
  EXPECT_NE(arena_.allocate(20'000), 0U);
}

TEST_P(ClearRunTest, LeavesAllAsItWasWhereNothingCanBeMoved) {
  fill();
  release_every(4);
  const auto held = held_;
  const std::size_t free = arena_.free_bytes();

  EXPECT_FALSE(clear_run(arena_, 20'000, [](Ref) { return false; }, [] {}));

  EXPECT_EQ(held_, held);
  EXPECT_EQ(arena_.free_bytes(), free);
  expect_all_whole();
}

TEST_P(ClearRunTest, FindsNothingToClearInAnArenaWithoutHoles) {
  fill();

  EXPECT_FALSE(clear(100));
}

TEST_P(ClearRunTest, ClearsTheEndAndMovesWhatWasThere) {
  fill();
  release_every(4);
  const std::size_t blocks = held_.size();
  arena_.limit(arena_.reach() / 8 * 7);
  ASSERT_TRUE(arena_.overhangs());

  ASSERT_TRUE(clear_end(
      arena_, arena_.limit(), [this](Ref block) { return move_away(block); },
      [this] { let_go(); }));

  EXPECT_LE(arena_.reach(), arena_.limit());
  EXPECT_EQ(held_.size(), blocks);
  expect_all_whole();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClearRunTest, testing::Range(1U, 6U));

}  // namespace
}  // namespace larder::detail
