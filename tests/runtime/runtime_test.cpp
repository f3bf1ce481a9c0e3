#include "larder/runtime.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <latch>
#include <set>
#include <thread>

namespace larder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST(Runtime, ExecutorsTakeTheIoThreadsInTurn) {
  Runtime runtime{{.io_threads = 3}};
  std::set<std::thread::id> threads;

  for (int i = 0; i < 6; ++i) {
    std::promise<std::thread::id> id;
    asio::post(runtime.executor(), [&] { id.set_value(std::this_thread::get_id()); });
    threads.insert(id.get_future().get());
  }

  EXPECT_EQ(threads.size(), 3U);
}

TEST(Runtime, KnowsItsOwnIoThreads) {
  Runtime runtime;
  Runtime other;
  std::promise<std::pair<bool, bool>> seen;

  asio::post(runtime.executor(),
             [&] { seen.set_value({runtime.on_io_thread(), other.on_io_thread()}); });

  EXPECT_EQ(seen.get_future().get(), (std::pair{true, false}));
  EXPECT_FALSE(runtime.on_io_thread());
}

TEST(Runtime, BlockingWorkRunsSideBySideUpToItsThreads) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 4}};
  std::latch all_at_once{4};  // deadlocks if fewer than 4 run together
  std::latch done{4};

  for (int i = 0; i < 4; ++i) {
    runtime.block([&] {
      all_at_once.arrive_and_wait();
      done.count_down();
    });
  }

  done.wait();
}

TEST(Runtime, OneThatWaitsMakesRoomForAnotherAndSoManyWorkAfterwards) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1, .waiting_threads = 2}};
  std::latch inner{1};
  std::latch done{2};
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  runtime.block([&] {
    runtime.block([&] { inner.count_down(); });
    const auto waiting = WaitScope::begin();
    EXPECT_TRUE(waiting);
    inner.wait();
    done.count_down();
  });
  inner.wait();
  runtime.block([&] { done.count_down(); });
  done.wait();
  std::latch all{20};

  for (int i = 0; i < 20; ++i) {
    runtime.block([&] {
      most = std::max(most.load(), ++at_once);
      --at_once;
      all.count_down();
    });
  }
  all.wait();

  EXPECT_EQ(most, 1);
}

TEST(Runtime, OnOtherThreadsAWaitNeedsNoRoom) {
  const Runtime runtime{{.io_threads = 1, .waiting_threads = 0}};

  EXPECT_TRUE(WaitScope::begin());
}

TEST(Runtime, BlockingWorkBeyondItsThreadsWaitsInOrder) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1}};
  std::vector<int> order;
  std::latch done{100};

  for (int i = 0; i < 100; ++i) {
    runtime.block([&, i] {
      order.push_back(i);
      done.count_down();
    });
  }
  done.wait();

  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(order.size(), 100U);
}

TEST(Runtime, DestroyingItLeavesNoWorkBehind) {
  std::atomic<int> ran{0};
  auto dropped = std::make_shared<int>(0);
  {
    Runtime runtime{{.io_threads = 1, .blocking_threads = 1}};
    std::promise<void> begun;
    runtime.block([&] {
      begun.set_value();
      ++ran;
    });
    begun.get_future().wait();
    for (int i = 0; i < 10; ++i) runtime.block([dropped] { ++*dropped; });
  }

  EXPECT_EQ(ran, 1);
  EXPECT_EQ(dropped.use_count(), 1);
}

TEST(Runtime, ATimerCallsOnceOnAnIoThread) {
  Runtime runtime;
  std::promise<bool> on_io;

  const auto timer = runtime.after(1ms, [&] { on_io.set_value(runtime.on_io_thread()); });

  EXPECT_TRUE(on_io.get_future().get());
}

TEST(Runtime, TimersCallInTheOrderInWhichTheyAreDue) {
  Runtime runtime{{.io_threads = 1}};
  std::vector<int> called;  // on the I/O thread alone, until it has told
  std::promise<void> all;

  const auto last = runtime.after(40ms, [&] { all.set_value(); });
  const auto second = runtime.after(20ms, [&] { called.push_back(2); });
  const auto third = runtime.after(30ms, [&] { called.push_back(3); });
  const auto first = runtime.after(1ms, [&] { called.push_back(1); });
  runtime.after(10ms, [&] { called.push_back(0); }).reset();
  all.get_future().wait();

  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
}

TEST(Runtime, ATimerMayCallOffOneThatIsDueAtTheSameTime) {
  Runtime runtime{{.io_threads = 1}};
  std::promise<void> busy;
  asio::post(runtime.io(0), [free = busy.get_future().share()] { free.wait(); });
  std::atomic<int> called{0};
  std::unique_ptr<Timer> second;
  std::promise<void> after;

  // All are due before the thread looks.
  const auto first = runtime.after(0ms, [&] {
    ++called;
    second.reset();
  });
  second = runtime.after(0ms, [&] { ++called; });
  const auto third = runtime.after(0ms, [&] { after.set_value(); });
  busy.set_value();
  after.get_future().wait();

  EXPECT_EQ(called, 1);
}

TEST(Runtime, TimersMadeAndDestroyedByManyThreadsCallOnceEach) {
  Runtime runtime{{.io_threads = 1}};
  constexpr int kThreads = 4;
  constexpr int kTimers = 500;
  std::atomic<int> called{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        std::vector<std::unique_ptr<Timer>> kept;
        for (int n = 0; n < kTimers; ++n) {
          kept.push_back(runtime.after(1ms, [&] { ++called; }));
          runtime.after(1h, [&] { called += 1'000'000; }).reset();
        }
        std::promise<void> last;
        kept.push_back(runtime.after(1ms, [&] { last.set_value(); }));
        last.get_future().wait();
      });
    }
  }

  EXPECT_EQ(called, kThreads * kTimers);
}

TEST(Runtime, ADestroyedTimerDoesNotCall) {
  auto held = std::make_shared<int>(0);
  Runtime runtime{{.io_threads = 1}};

  runtime.after(24h, [held] { ++*held; }).reset();
  while (held.use_count() > 1) std::this_thread::yield();  // the callback itself is destroyed

  EXPECT_EQ(*held, 0);
}

}  // namespace
}  // namespace larder
