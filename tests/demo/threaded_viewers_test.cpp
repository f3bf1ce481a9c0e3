#include "demo/threaded_viewers.hpp"

#include <gmock/gmock.h>

#include <atomic>

namespace larder::demo {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ThreadedViewersTest : public testing::Test {
 protected:
  [[nodiscard]] ThreadedViewers viewers(unsigned count, const auto& page) {
    std::vector<PageFunction> pages;
    for (unsigned i = 0; i < count; ++i) pages.emplace_back(page);
    return {std::move(pages), popularity_, 1};
  }

  Popularity popularity_{100, 4, 1};
};

TEST_F(ThreadedViewersTest, CountEveryPage) {
  std::atomic<std::uint64_t> served{0};
  ThreadedViewers three = viewers(3, [&](std::int64_t) -> Result<std::string_view> {
    ++served;
    return "page";
  });

  const auto seen = three.run({.duration = 20ms}, {});

  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_GE(seen->pages, 3U);
  EXPECT_EQ(seen->pages, served);
  EXPECT_EQ(seen->latencies.count(), served);
  EXPECT_GE(seen->took, 20ms);
}

TEST_F(ThreadedViewersTest, AStallIsFeltByAllPagesThatWereDueMeanwhile) {
  bool stalled = false;
  ThreadedViewers one = viewers(1, [&](std::int64_t) -> Result<std::string_view> {
    if (!std::exchange(stalled, true)) {
      const TimePoint until = std::chrono::steady_clock::now() + 100ms;
      while (std::chrono::steady_clock::now() < until) {
      }
    }
    return "page";
  });

  const auto seen = one.run({.duration = 200ms, .pages_per_second = 1'000}, {});

  // Of the 200 pages, the 100 due during the stall waited, 50 of them for half of it.
  ASSERT_TRUE(seen);
  EXPECT_GT(seen->latencies.percentile(85), 45ms);
}

TEST_F(ThreadedViewersTest, AnErrorEndsTheRunAndIsTold) {
  std::atomic<int> pages{0};
  ThreadedViewers two = viewers(2, [&](std::int64_t) -> Result<std::string_view> {
    if (++pages == 100) return fail(Errc::kSourceFailed, "the disk is gone");
    return "page";
  });

  const auto seen = two.run({.duration = 1h}, {});

  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().message, "the disk is gone");
}

TEST_F(ThreadedViewersTest, APageThatIsNotThereIsAnError) {
  ThreadedViewers one =
      viewers(1, [](std::int64_t) -> Result<std::string_view> { return std::string_view{}; });

  const auto seen = one.run({.duration = 1h}, {});

  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message, HasSubstr("no page of product"));
}

TEST_F(ThreadedViewersTest, AreCalledOff) {
  std::stop_source stop;
  ThreadedViewers two = viewers(2, [&](std::int64_t) -> Result<std::string_view> {
    stop.request_stop();
    return "page";
  });

  const auto seen = two.run({.duration = 1h}, stop.get_token());

  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace larder::demo
