// Caches whose runtime ends: nobody waits for ever, and nothing of it is touched.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include "core_fixture.hpp"
#include "larder/cache.hpp"

namespace larder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Numbers = Cache<int, int>;

class CacheCoreClose : public testing::CoreFixture {};

TEST_F(CacheCoreClose, AnswersWhoWaitsForAnyLoad) {
  make({.concurrent = 2, .waiting = 1});
  const auto doomed = read(1);
  core_->invalidate(1);
  const auto under_way = read(1);
  const auto anew = read(1, {.force = true});
  const auto at_the_gate = read(2);

  core_->close();

  for (const auto& reader : {doomed, under_way, anew, at_the_gate}) {
    ASSERT_FALSE(reader->waits());
    EXPECT_EQ(reader->answer().error().code, Errc::kCancelled);
  }
  EXPECT_FALSE(core_->loading(1));
  EXPECT_FALSE(core_->loading(2));
  EXPECT_EQ(timers_.size(), 0U);
}

TEST_F(CacheCoreClose, WhatComesLaterIsAnsweredFromMemoryOrNotAtAll) {
  make();
  read(1);
  source_->answer("one");
  core_->close();

  const auto hit = read(1);
  const auto miss = read(2, {.timeout = 1h});

  EXPECT_EQ(hit->answer().value(), "one");
  EXPECT_EQ(miss->answer().error().code, Errc::kCancelled);
  EXPECT_EQ(source_->loads, 1U);
  EXPECT_EQ(timers_.size(), 0U);
}

TEST_F(CacheCoreClose, WhatTheSourceAnswersLaterFillsNothing) {
  make();
  read(1);
  core_->close();

  source_->answer("late");

  EXPECT_TRUE(core_->peek(1).absent());
}

// A source that never answers must not keep the cache that asked it.
TEST_F(CacheCoreClose, LeavesNothingThatHoldsTheCore) {
  make({.concurrent = 1, .waiting = 8});
  read(1);
  read(2);

  core_->close();
  const std::weak_ptr<Core> weak = std::exchange(core_, nullptr);

  EXPECT_TRUE(weak.expired());
}

// Destroys a runtime while loads run, wait for a thread and wait at the gate, and
// callers are blocked on all of them.
TEST(CacheStop, NobodyWaitsForARuntimeThatEnds) {
  constexpr int kCallers = 12;
  std::atomic<int> running{0};
  std::atomic<bool> ending{false};
  std::optional<Runtime> runtime{std::in_place,
                                 RuntimeOptions{.io_threads = 2, .blocking_threads = 2}};
  Numbers numbers{*runtime,
                  {.source =
                       [&](int key) {
                         ++running;
                         while (!ending) std::this_thread::yield();
                         return key;
                       },
                   .loads = {.concurrent = 4}}};
  // A load that ends before the end comes to it has brought its value.
  const auto is_due = [](const auto& answer, int key) {
    return answer.failed() ? answer.error().code == Errc::kCancelled : *answer == key;
  };
  std::atomic<int> answered{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      if (is_due(numbers.get(i, {.timeout = 1h}), i)) ++answered;
      ending = true;  // the first answer that comes lets the loads that run end
    });
  }
  auto future = numbers.async_get(100, asio::use_future);
  while (numbers.stats().misses < kCallers + 1 || running < 2) std::this_thread::yield();

  runtime.reset();
  callers.clear();

  EXPECT_EQ(answered, kCallers);
  EXPECT_TRUE(is_due(future.get(), 100));
}

TEST(CacheStop, CallersOfACacheThatIsGoneAreAnsweredToo) {
  std::promise<void> begun;
  std::latch go_on{1};
  std::future<Answer<int>> running;
  std::future<Answer<int>> queued;
  std::optional<Runtime> runtime{std::in_place,
                                 RuntimeOptions{.io_threads = 1, .blocking_threads = 1}};
  {
    Numbers numbers{*runtime, {.source = [&](int key) {
                      begun.set_value();
                      go_on.wait();
                      return key;
                    }}};
    running = numbers.async_get(1, asio::use_future);
    begun.get_future().wait();
    queued = numbers.async_get(2, asio::use_future);
  }
  std::jthread ending{[&] { runtime.reset(); }};

  EXPECT_EQ(running.get().error().code, Errc::kCancelled);
  EXPECT_EQ(queued.get().error().code, Errc::kCancelled);
  go_on.count_down();
}

TEST(CacheStop, ACoroutineSeesItsCallCancelled) {
  std::promise<void> begun;
  std::latch go_on{1};
  Runtime runtime{{.io_threads = 1}};
  Numbers numbers{runtime, {.source = [&](int key) {
                    begun.set_value();
                    go_on.wait();
                    return key;
                  }}};
  auto code = asio::co_spawn(
      runtime.executor(),
      [&]() -> asio::awaitable<Errc> {
        co_return (co_await numbers.async_get(1, {.timeout = 1h})).error().code;
      },
      asio::use_future);
  begun.get_future().wait();

  std::jthread ending{[&] { runtime.stop(); }};

  EXPECT_EQ(code.get(), Errc::kCancelled);
  go_on.count_down();
}

TEST(CacheStop, ACacheMayOutliveItsRuntime) {
  std::optional<Runtime> runtime{std::in_place};
  Numbers numbers{*runtime, {.source = [](int key) { return key; }}};
  Numbers aside{*runtime, {.name = "aside"}};
  ASSERT_EQ(numbers.get(1).value(), 1);
  const std::vector<int> keys{1, 2};

  runtime.reset();

  EXPECT_EQ(numbers.get(1).value(), 1);
  EXPECT_EQ(numbers.get(2).error().code, Errc::kCancelled);
  EXPECT_EQ(numbers.get(2, {.timeout = 1h}).error().code, Errc::kCancelled);
  EXPECT_EQ(numbers.refresh(1).error().code, Errc::kCancelled);
  EXPECT_EQ(numbers.get_many(keys)[1].error().code, Errc::kCancelled);
  EXPECT_EQ(numbers.async_get(2, asio::use_future).get().error().code, Errc::kCancelled);
  EXPECT_EQ(numbers.async_get_many(keys, asio::use_future).get()[0].value(), 1);
  EXPECT_EQ(numbers.async_peek(1, asio::use_future).get().value(), 1);
  EXPECT_TRUE(numbers.async_invalidate(1, asio::use_future).get());
  EXPECT_TRUE(aside.async_put(7, 7, asio::use_future).get());
  EXPECT_EQ(aside.get(7).value(), 7);
  EXPECT_NE(numbers.get(2).error().message.find("runtime has stopped"), std::string::npos);
}

TEST(CacheStop, ACacheOfARuntimeThatHasStoppedLoadsNothing) {
  Runtime runtime{{.io_threads = 1}};
  runtime.stop();

  Numbers numbers{runtime, {.source = [](int key) { return key; }}};

  EXPECT_EQ(numbers.get(1).error().code, Errc::kCancelled);
}

// Reads that come while the runtime ends are answered one way or the other.
TEST(CacheStop, ReadsMayRaceWithTheEnd) {
  for (int round = 0; round < 20; ++round) {
    std::optional<Runtime> runtime{std::in_place,
                                   RuntimeOptions{.io_threads = 1, .blocking_threads = 2}};
    Numbers numbers{*runtime, {.source = [](int key) { return key; }, .loads = {.concurrent = 2}}};
    std::atomic<int> wrong{0};
    std::latch reading{3};
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&, i] {
        int key = i * 1'000'000;
        for (bool begun = false;; begun = true) {
          const auto number = numbers.get(++key, {.timeout = 1h});
          if (!begun) reading.count_down();
          if (number) continue;
          wrong += number.absent() || number.error().code != Errc::kCancelled;
          return;
        }
      });
    }
    reading.wait();

    runtime.reset();
    readers.clear();

    EXPECT_EQ(wrong, 0);
  }
}

}  // namespace
}  // namespace larder
