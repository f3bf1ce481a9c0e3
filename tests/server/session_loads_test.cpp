// Loads of values that a client's reply buffer has no room for.
#include <gmock/gmock.h>

#include <random>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Keys = std::vector<std::string>;

constexpr std::size_t kBuffer = std::size_t{64} << 10;
constexpr std::size_t kLarge = std::size_t{20} << 10;  // three are less than kBuffer, four more

Limits with_a_small_buffer() {
  Limits limits;
  limits.max_reply_buffer = {kBuffer};
  return limits;
}

std::string gets(int first, int last) {
  std::string all;
  for (int key = first; key <= last; ++key) all += command("GET product:" + std::to_string(key));
  return all;
}

Keys keys(int first, int last) {
  Keys all;
  for (int key = first; key <= last; ++key) all.push_back("product:" + std::to_string(key));
  return all;
}

class SessionLoads : public SessionTest {
 protected:
  SessionLoads() : SessionTest{with_a_small_buffer()} {}

  // Commands from a client that does not read.
  void send_unread(const std::string& bytes) { session_->receive(bytes); }
  // Answers reach the session, and the client does not read.
  void collect_unread() { session_->collect(); }
  // The client learns how large the values are.
  void load_one_large() {
    send(gets(1000, 1000));
    source_->succeed_with(0, std::string(kLarge, 'x'));
    collect();
  }
  // What the source was asked after the first `before` loads.
  [[nodiscard]] std::vector<Keys> asked_since(std::size_t before) const {
    const auto all = source_->asked();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }
};

TEST_F(SessionLoads, AsManyAreOrderedAsThereIsRoomForValuesLikeTheLast) {
  load_one_large();

  send_unread(gets(1, 10));

  EXPECT_THAT(asked_since(1), ElementsAre(keys(1, 4)));
}

TEST_F(SessionLoads, TheNextAreOrderedWhenTheClientHasRead) {
  load_one_large();
  send_unread(gets(1, 10));
  source_->succeed_with(1, std::string(kLarge, 'x'));
  collect_unread();
  EXPECT_THAT(asked_since(2), IsEmpty());

  const std::string replies = received();

  EXPECT_GT(replies.size(), 4 * kLarge);
  EXPECT_THAT(asked_since(2), ElementsAre(keys(5, 8)));
}

TEST_F(SessionLoads, WhatWasOrderedBeyondTheBufferIsCalledOff) {
  send_unread(gets(1, 10));
  ASSERT_THAT(source_->asked(), ElementsAre(keys(1, 10)));
  source_->succeed_first(0, 4, std::string(kLarge, 'x'));
  ASSERT_THAT(asked_since(1), ElementsAre(keys(5, 10)));  // asked before the session knows

  collect_unread();
  source_->succeed_first(1, 1, std::string(kLarge, 'x'));
  collect_unread();

  EXPECT_THAT(asked_since(2), IsEmpty());
  EXPECT_LE(session_->kept_bytes(), 2 * kBuffer);
}

TEST_F(SessionLoads, WhatWasCalledOffIsAnsweredWhenTheClientHasRead) {
  send_unread(gets(1, 6));
  source_->succeed_first(0, 4, std::string(kLarge, 'x'));
  collect_unread();

  std::string replies = received();
  source_->succeed_with(1, "y");
  replies += collect();

  const std::string large = "$20480\r\n" + std::string(kLarge, 'x') + "\r\n";
  EXPECT_EQ(replies, large + large + large + large + "$1\r\ny\r\n$1\r\ny\r\n");
  EXPECT_EQ(source_->asked().size(), 2U);
}

// Replies behind the one that is waited for fill the buffer.
TEST_F(SessionLoads, WhatTheClientGetsNextIsLoadedThoughTheBufferIsFull) {
  send_unread(gets(1, 1));
  send_unread(gets(2, 6));
  source_->succeed_with(1, std::string(kLarge, 'x'));
  collect_unread();
  EXPECT_GT(session_->replies().bytes(), kBuffer);

  source_->succeed_with(0, "first");

  EXPECT_THAT(collect(), StartsWith("$5\r\nfirst\r\n$20480\r\n"));
  EXPECT_EQ(session_->replies().waiting(), 0U);
}

TEST_F(SessionLoads, AClientThatIsGoneIsLoadedForNoMore) {
  send_unread(gets(1, 10));

  session_.reset();
  source_->succeed_first(0, 4, "x");

  EXPECT_THAT(asked_since(1), IsEmpty());
}

TEST_F(SessionLoads, OthersGetWhatAClientThatIsGoneWaitedFor) {
  send_unread(gets(1, 3));
  std::optional<Session> other{std::in_place, context_, state_.next_client_id(), [] {}};
  other->receive(gets(3, 3));

  session_.reset();
  source_->succeed_first(0, 1, "x");
  EXPECT_THAT(asked_since(1), ElementsAre(keys(3, 3)));
  source_->succeed_with(1, "three");
  other->collect();

  EXPECT_EQ(other->replies().ready().size(), std::string{"$5\r\nthree\r\n"}.size());
  other->replies().drop();
}

TEST_F(SessionLoads, AReplyThatFailedIsLoadedForNoMore) {
  send_unread(
      command("MGET product:1 product:2 product:3 product:4 product:5 product:6 product:7"));
  source_->succeed_first(0, 4, std::string(kLarge, 'x'));

  EXPECT_THAT(collect(), StartsWith("-ERR the reply does not fit into server.max_reply_buffer"));
  source_->succeed_first(1, 1, "x");

  EXPECT_THAT(asked_since(2), IsEmpty());
}

TEST_F(SessionLoads, AKeyOfAReplyThatFailedIsLoadedForTheNextCommand) {
  send_unread(command("MGET product:1 product:2") + command("GET product:2"));

  source_->fail(0, "no disk");
  const std::string replies = collect();

  EXPECT_EQ(replies, "-SOURCE no disk\r\n-SOURCE no disk\r\n");
}

// Random keys, sizes, parts and reads, against what each reply must be.
class RandomLoads : public SessionLoads, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  static std::string value_of(const std::string& key) {
    const int number = std::stoi(key.substr(key.find(':') + 1));
    return key + std::string(static_cast<std::size_t>(number * 37 % 30000), 'x');
  }
  std::size_t random(std::size_t below) { return random_() % below; }

  void ask_for_some() {
    if (!session_->wants_input()) return;
    std::string bytes;
    for (std::size_t i = random(20); i > 0; --i) {
      const std::string key = "product:" + std::to_string(random(500));
      bytes += command("GET " + key);
      const std::string value = value_of(key);
      expected_ += "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    }
    session_->receive(bytes);
  }
  // A load that was not ended yet: its first keys, at least one.
  void load_some() {
    const auto asked = source_->asked();
    if (ended_ == asked.size()) return;
    const std::size_t load = ended_++;
    const std::size_t count = random(2) == 0 ? asked[load].size() : 1 + random(asked[load].size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) bytes += value_of(asked[load][i]).size() + 100;
    largest_part_ = std::max(largest_part_, bytes);
    source_->end_with(load, count, value_of);
  }
  void read_some() {
    received_ += take(1 + random(2 * kBuffer));
    if (session_->replies().ready().empty()) session_->resume();
  }

  std::mt19937 random_{GetParam()};
  std::string expected_;
  std::string received_;
  std::size_t ended_ = 0;
  std::size_t largest_part_ = 0;
};

TEST_P(RandomLoads, EveryReplyIsRightAndInItsPlaceAndLittleIsKept) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));

  for (int step = 0; step < 2000; ++step) {
    switch (random(5)) {
      case 0: ask_for_some(); break;
      case 1: load_some(); break;
      case 2: read_some(); break;
      case 3: session_->collect(); break;
      default: session_->replies().keep(); break;
    }
    // Beside what may be held, the reply that comes next, and what came at once with it.
    ASSERT_LE(session_->replies().bytes(), 2 * kBuffer + 2 * largest_part_);
  }
  for (int step = 0; step < 2000 && received_.size() < expected_.size(); ++step) {
    load_some();
    session_->collect();
    read_some();
  }

  EXPECT_EQ(received_.size(), expected_.size());
  EXPECT_TRUE(received_ == expected_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLoads, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace larder::test
