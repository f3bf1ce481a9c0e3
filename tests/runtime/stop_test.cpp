// How a runtime ends.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "larder/runtime.hpp"

namespace larder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class Remembers final : public Closable {
 public:
  void close() override { ++closed; }
  std::atomic<int> closed{0};
};

// Calls something when the last that holds it lets go.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> what) : what_{std::move(what)} {}
  ~AtEnd() { what_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  std::function<void()> what_;
};

TEST(RuntimeStop, ClosesWhatAskedForItOnce) {
  Runtime runtime{{.io_threads = 1}};
  const auto closable = std::make_shared<Remembers>();
  runtime.close_at_stop(closable);

  runtime.stop();
  runtime.stop();

  EXPECT_EQ(closable->closed, 1);
}

TEST(RuntimeStop, ClosesAtOnceWhatComesLater) {
  Runtime runtime{{.io_threads = 1}};
  runtime.stop();
  const auto closable = std::make_shared<Remembers>();

  runtime.close_at_stop(closable);

  EXPECT_EQ(closable->closed, 1);
}

TEST(RuntimeStop, WorkThatIsDroppedMayAskTheRuntimeForMore) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1}};
  std::latch begun{1};
  std::latch go_on{1};
  std::atomic<int> asked{0};
  runtime.block([&] {
    begun.count_down();
    go_on.wait();
  });
  begun.wait();
  for (int i = 0; i < 10; ++i) {
    auto at_end = std::make_shared<AtEnd>([&] {
      runtime.block([] {});
      (void)runtime.after(1h, [] {});
      ++asked;
    });
    runtime.block([at_end = std::move(at_end)] {});
  }

  std::jthread stopper{[&] { runtime.stop(); }};
  while (asked < 10) std::this_thread::yield();  // while the thread is still busy
  go_on.count_down();
  stopper.join();

  EXPECT_EQ(asked, 10);
}

TEST(RuntimeStop, WhatWasPostedBeforeIsDone) {
  std::atomic<int> ran{0};
  {
    Runtime runtime{{.io_threads = 2}};
    for (int i = 0; i < 100; ++i) asio::post(runtime.executor(), [&] { ++ran; });
  }

  EXPECT_EQ(ran, 100);
}

TEST(RuntimeStop, WhatIsPendingIsDestroyedUncalled) {
  const auto held = std::make_shared<int>(0);
  Runtime runtime{{.io_threads = 1}};
  asio::steady_timer wait{runtime.io(0), 24h};
  wait.async_wait([held](auto) { ++*held; });

  runtime.stop();

  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(RuntimeStop, ATimerMayOutliveItsRuntime) {
  const auto held = std::make_shared<int>(0);
  std::unique_ptr<Timer> armed;
  std::unique_ptr<Timer> late;
  {
    Runtime runtime{{.io_threads = 1}};
    const auto timers = runtime.handle().timers();
    armed = runtime.after(24h, [held] { ++*held; });
    runtime.stop();
    late = timers->after(0ns, [held] { ++*held; });
  }

  armed.reset();
  late.reset();

  EXPECT_EQ(*held, 0);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(RuntimeStop, AHandleMayOutliveItsRuntime) {
  auto handle = Runtime{{.io_threads = 1}}.handle();
  const auto dropped = std::make_shared<int>(0);
  std::promise<void> ran;

  handle.block([dropped] { ++*dropped; });
  asio::post(handle.executor(), [&] { ran.set_value(); });

  EXPECT_EQ(dropped.use_count(), 1);
  EXPECT_FALSE(handle.on_io_thread());
  ran.get_future().wait();  // on the system's threads
}

TEST(RuntimeStop, ItsOwnThreadsCannotStopIt) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1}};
  const auto refused = [&] {
    try {
      runtime.stop();
      return false;
    } catch (const std::logic_error&) {
      return true;
    }
  };
  std::promise<bool> on_io;
  std::promise<bool> on_blocking;

  asio::post(runtime.executor(), [&] { on_io.set_value(refused()); });
  runtime.block([&] { on_blocking.set_value(refused()); });

  EXPECT_TRUE(on_io.get_future().get());
  EXPECT_TRUE(on_blocking.get_future().get());
}

}  // namespace
}  // namespace larder
