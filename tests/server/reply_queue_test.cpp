#include "server/reply_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace larder {
namespace {

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

// A GET's reply that waits for its value.
AwaitedReply one_value() {
  AwaitedReply reply{{AwaitedReply::Shape::kValue}, resp::Protocol::kResp2, 1};
  reply.owe();
  return reply;
}

Answer<std::string> value(std::string text) {
  return {std::make_shared<const std::string>(std::move(text)), Origin::kSource};
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// Sends up to `most` bytes of what may be sent.
std::string send(ReplyQueue& queue, std::size_t most = kNoLimit) {
  std::string sent;
  while (!queue.ready().empty() && sent.size() < most) {
    std::array<std::string_view, 1> piece;
    if (queue.ready().gather(piece) == 0) break;
    const std::string_view some = piece[0].substr(0, most - sent.size());
    sent += some;
    queue.ready().consume(some.size());
  }
  return sent;
}

class ReplyQueueTest : public testing::Test {
 protected:
  resp::OutputBuffer shared_;
  ReplyQueue queue_{shared_};
};

TEST_F(ReplyQueueTest, WhatIsKnownMayBeSentAtOnce) {
  queue_.tail().append("a");
  queue_.tail().append("b");

  EXPECT_EQ(send(queue_), "ab");
}

TEST_F(ReplyQueueTest, RepliesBehindOneThatWaitsWait) {
  queue_.tail().append("before ");
  const auto place = queue_.hold(one_value());
  queue_.tail().append(" behind");
  EXPECT_EQ(send(queue_), "before ");

  queue_.take(place, 0, value("x"), kNoLimit);

  EXPECT_EQ(send(queue_), "$1\r\nx\r\n behind");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ReplyQueueTest, RepliesCompletedOutOfOrderComeInOrder) {
  const auto first = queue_.hold(one_value());
  const auto second = queue_.hold(one_value());

  queue_.take(second, 0, value("2"), kNoLimit);
  EXPECT_EQ(send(queue_), "");
  queue_.take(first, 0, value("1"), kNoLimit);

  EXPECT_EQ(send(queue_), bulk("1") + bulk("2"));
}

TEST_F(ReplyQueueTest, AFailureIsTheWholeReply) {
  AwaitedReply reply{{AwaitedReply::Shape::kValues}, resp::Protocol::kResp2, 2};
  reply.owe();
  reply.owe();
  const auto place = queue_.hold(std::move(reply));

  queue_.take(place, 0, value("fine"), kNoLimit);
  const auto progress = queue_.take(
      place, 1, {Error{Errc::kSourceFailed, "disk I/O error"}, Origin::kSource}, kNoLimit);

  EXPECT_EQ(progress, ReplyQueue::Progress::kFailed);
  EXPECT_EQ(send(queue_), "-SOURCE disk I/O error\r\n");
}

TEST_F(ReplyQueueTest, AValueThatDoesNotFitBecomesAnError) {
  queue_.tail().append(std::string(80, 'x'));
  const auto place = queue_.hold(one_value());

  EXPECT_EQ(queue_.take(place, 0, value(std::string(21, 'y')), 100), ReplyQueue::Progress::kFailed);
}

TEST_F(ReplyQueueTest, WhatWasNotSentLeavesTheSharedBuffer) {
  queue_.tail().append("reply");
  send(queue_, 2);

  queue_.keep();

  EXPECT_TRUE(shared_.empty());
  EXPECT_EQ(send(queue_), "ply");
}

// Random replies, some late, and partial sends, against the plain list of them.
TEST_F(ReplyQueueTest, KeepsTheOrderWhateverHappens) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    ReplyQueue queue{shared_};
    std::string expected;  // all that was ever promised, in order
    std::string received;
    std::vector<std::pair<ReplyQueue::Place, std::string>> open;

    const auto complete_one = [&] {
      const std::size_t i = random() % open.size();
      queue.take(open[i].first, 0, value(open[i].second), kNoLimit);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (int step = 0; step < 300; ++step) {
      const std::string text = std::to_string(step) + std::string(random() % 3000, '.');
      switch (random() % 5) {
        case 0:
          queue.tail().append(bulk(text));
          expected += bulk(text);
          break;
        case 1:
          open.emplace_back(queue.hold(one_value()), text);
          expected += bulk(text);
          break;
        case 2:
          if (!open.empty()) complete_one();
          break;
        case 3: received += send(queue, random() % 10'000); break;
        default: queue.keep();
      }
      ASSERT_EQ(queue.waiting() == 0, open.empty());
    }
    while (!open.empty()) complete_one();
    received += send(queue);

    EXPECT_EQ(received, expected);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.bytes(), 0U);
  }
}

}  // namespace
}  // namespace larder
