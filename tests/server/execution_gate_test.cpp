#include "server/execution_gate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace larder {
namespace {

TEST(ExecutionGate, NobodySeesHalfOfWhatIsDoneAlone) {
  constexpr std::size_t kThreads = 3;
  constexpr int kTurns = 3000;
  ExecutionGate gate{kThreads};
  std::array<std::atomic<int>, 2> pair{};  // equal, whenever anybody looks
  std::atomic<int> torn{0};

  const auto work = [&](std::size_t me) {
    for (int i = 0; i < kTurns; ++i) {
      const ExecutionGate::Turn turn{gate, me};
      const int first = pair[0].load(std::memory_order_relaxed);
      if (pair[1].load(std::memory_order_relaxed) != first) torn.fetch_add(1);
      if (i % 7 != 0) continue;
      gate.alone(me, [&] {
        for (std::atomic<int>& each : pair) {
          each.store(each.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
      });
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  }

  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(pair[0].load(), static_cast<int>(kThreads) * ((kTurns + 6) / 7));
}

TEST(ExecutionGate, AThreadThatIsOutsideHoldsNobodyUp) {
  ExecutionGate gate{4};
  bool done = false;

  const ExecutionGate::Turn turn{gate, 2};
  gate.alone(2, [&] { done = true; });

  EXPECT_TRUE(done);
}

TEST(ExecutionGate, AThreadWithoutAnIndexKeepsTheOthersOut) {
  constexpr int kTurns = 3000;
  ExecutionGate gate{2};
  int plain = 0;  // a race, if ever two are at it
  std::atomic<bool> over{false};

  std::jthread inside{[&] {
    while (!over.load()) {
      const ExecutionGate::Turn turn{gate, 0};
      ++plain;
    }
  }};
  for (int i = 0; i < kTurns; ++i) gate.exclude([&] { --plain; });
  over = true;
  inside.join();

  EXPECT_GE(plain, -kTurns);
}

}  // namespace
}  // namespace larder
