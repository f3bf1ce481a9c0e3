// What a worker's thread waits for: sockets, work of other threads, time.
#include "server/poller.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/alarm.hpp"
#include "server/work_queue.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

// Remembers what it was told.
class Witness final : public Poller::Watcher {
 public:
  void ready(Poller::Readiness readiness) override { told.push_back(readiness); }

  std::vector<Poller::Readiness> told;
};

// Two ends of a connection, which do not block.
struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    ours = Descriptor{ends[0]};
    theirs = Descriptor{ends[1]};
  }

  void they_send(const std::string& text) const {
    EXPECT_EQ(::send(theirs.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  Descriptor ours;
  Descriptor theirs;
};

TEST(Poller, TellsOfWhatWasThereBeforeItWatched) {
  Poller poller;
  Pair pair;
  Witness witness;
  pair.they_send("a");

  ASSERT_TRUE(poller.watch(pair.ours.get(), witness));
  poller.wait(Poller::Wait::kYes);

  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_TRUE(witness.told[0].input);
  EXPECT_FALSE(witness.told[0].ended);
}

TEST(Poller, TellsOfInputOnceAndAgainWhenMoreCame) {
  Poller poller;
  Pair pair;
  Witness witness;
  ASSERT_TRUE(poller.watch(pair.ours.get(), witness));
  pair.they_send("a");
  poller.wait(Poller::Wait::kNo);

  poller.wait(Poller::Wait::kNo);
  EXPECT_EQ(witness.told.size(), 1U) << "though nobody read";

  pair.they_send("b");
  poller.wait(Poller::Wait::kNo);
  EXPECT_EQ(witness.told.size(), 2U);
}

TEST(Poller, TellsThatThePeerSendsNoMoreTogetherWithItsLastBytes) {
  Poller poller;
  Pair pair;
  Witness witness;
  ASSERT_TRUE(poller.watch(pair.ours.get(), witness));
  pair.they_send("a");
  ::shutdown(pair.theirs.get(), SHUT_WR);

  poller.wait(Poller::Wait::kYes);

  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_TRUE(witness.told[0].input);
  EXPECT_TRUE(witness.told[0].ended);
}

TEST(Poller, TellsOfRoomOnlyWhomItWasAskedToTell) {
  Poller poller;
  Pair pair;
  Witness witness;
  ASSERT_TRUE(poller.watch(pair.ours.get(), witness));
  poller.wait(Poller::Wait::kNo);
  EXPECT_TRUE(witness.told.empty());

  poller.watch_room(pair.ours.get(), witness);
  poller.wait(Poller::Wait::kNo);

  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_TRUE(witness.told[0].room);
}

TEST(Poller, ForgetsADescriptorThatWasClosed) {
  Poller poller;
  Pair pair;
  Witness witness;
  ASSERT_TRUE(poller.watch(pair.ours.get(), witness));
  pair.they_send("a");

  pair.ours.close();
  poller.wait(Poller::Wait::kNo);

  EXPECT_TRUE(witness.told.empty());
}

TEST(WorkQueue, WakesThePollerAndRunsInOrder) {
  Poller poller;
  WorkQueue queue;
  queue.start(poller);
  std::vector<int> done;

  std::thread other{[&] {
    for (int i = 0; i < 1000; ++i) queue.post([&done, i] { done.push_back(i); });
  }};
  while (done.size() < 1000) poller.wait(Poller::Wait::kYes);
  other.join();

  for (int i = 0; i < 1000; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(WorkQueue, RunsWhatWorkPostsInALaterRound) {
  Poller poller;
  WorkQueue queue;
  queue.start(poller);
  int rounds = 0;
  queue.post([&] {
    ++rounds;
    queue.post([&] { ++rounds; });
  });

  poller.wait(Poller::Wait::kNo);
  EXPECT_EQ(rounds, 1);

  poller.wait(Poller::Wait::kNo);
  EXPECT_EQ(rounds, 2);
}

TEST(WorkQueue, DestroysWhatItCannotRunAnyMore) {
  const auto held = std::make_shared<int>(1);
  {
    WorkQueue queue;
    queue.post([held] { FAIL() << *held; });
    EXPECT_EQ(held.use_count(), 2);
  }

  EXPECT_EQ(held.use_count(), 1);
}

TEST(Alarm, GoesOffOnceAndNotBeforeItsTime) {
  Poller poller;
  std::optional<std::chrono::steady_clock::time_point> rang;
  int times = 0;
  Alarm alarm{poller, [&] {
                rang = std::chrono::steady_clock::now();
                ++times;
              }};
  const auto before = std::chrono::steady_clock::now();

  alarm.set(5ms);
  while (!rang) poller.wait(Poller::Wait::kYes);

  EXPECT_GE(*rang - before, 5ms);
  poller.wait(Poller::Wait::kNo);
  EXPECT_EQ(times, 1);
}

TEST(Alarm, GoesOffAsItWasSetLast) {
  Poller poller;
  int times = 0;
  Alarm alarm{poller, [&] { ++times; }};

  alarm.set(std::chrono::hours{1});
  alarm.set(1ns);
  while (times == 0) poller.wait(Poller::Wait::kYes);

  EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace larder
