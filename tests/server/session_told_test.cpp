// Commands that invalidate are answered once the shared tier was told.
#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/shared_copies.hpp"
#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

// A shared tier that holds nothing, and is told when the test says so.
class HandCopies final : public SharedCopies {
 public:
  void read(std::vector<Key> keys, Take take) override {
    Answers answers;
    for (std::size_t i = 0; i < keys.size(); ++i) answers.emplace_back(i, SharedAnswer{});
    take(std::move(answers));
  }
  void fill(SharedLease, std::optional<std::string_view>, Duration, Duration) override {}
  void fail(SharedLease, const Error&) override {}
  void release(SharedLease) override {}
  void begin_write(std::vector<std::string> keys, Duration, Marked marked) override {
    marked(std::vector<SharedMark>(keys.size()));
  }
  void finish_write(SharedMark, const std::optional<SharedFill>&) override {}
  void leave_write(SharedMark, Duration) override {}
  void invalidate(std::string_view key) override { invalidated.emplace_back(key); }
  void clear() override { invalidated.emplace_back("*"); }
  void once_told(Told told) override {
    if (away) return told();
    waiting.push_back(std::move(told));
    if (during) during();
  }
  void listen(std::weak_ptr<SharedListener>) override {}

  void tell(std::size_t index) { std::exchange(waiting[index], nullptr)(); }

  bool away = false;  // it cannot be told
  std::vector<std::string> invalidated;
  std::vector<Told> waiting;
  std::function<void()> during;  // while a command asks to be told of it
};

class SessionTold : public SessionTest {
 protected:
  SessionTold() {
    std::vector<Keyspace::Member> members;
    members.push_back(keyspace_.make({pattern("product:{id:int}"),
                                      {.name = "product",
                                       .source = source_,
                                       .jitter = 0,
                                       .shared = std::shared_ptr<SharedCopies>{copies_}}}));
    members.push_back(keyspace_.make({pattern("tag:{name}"), {.name = "tag", .jitter = 0}}));
    std::ignore = keyspace_.replace(std::move(members));
    open();
  }
  ~SessionTold() override { session_.reset(); }

  std::shared_ptr<HandCopies> copies_ = std::make_shared<HandCopies>();
};

TEST_F(SessionTold, WhatInvalidatesIsAnsweredWhenTheTierWasTold) {
  const std::vector<std::pair<std::string, std::string>> commands{
      {"DEL product:1", ":0\r\n"},
      {"UNLINK product:1", ":0\r\n"},
      {"LARDER INVALIDATE KEY product:1", ":0\r\n"},
      {"LARDER INVALIDATE CACHE product", "+OK\r\n"},
      {"FLUSHALL", "+OK\r\n"},
      {"FLUSHDB ASYNC", "+OK\r\n"}};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(ask(commands[i].first), "") << commands[i].first;
    ASSERT_EQ(copies_->waiting.size(), i + 1) << commands[i].first;
    EXPECT_TRUE(session_->awaits_answer());
    const int wakes = wakes_;

    copies_->tell(i);

    EXPECT_EQ(wakes_, wakes + 1);
    EXPECT_EQ(collect(), commands[i].second) << commands[i].first;
    EXPECT_FALSE(session_->awaits_answer());
  }
  EXPECT_EQ(copies_->invalidated.size(), commands.size());
}

TEST_F(SessionTold, OnlyTheRepliesWaitAndComeInTheirOrder) {
  EXPECT_EQ(send(command("DEL product:1") + command("SET tag:a x") +
                 command("DEL product:2 tag:a") + command("GET tag:a")),
            "");
  EXPECT_THAT(copies_->invalidated, testing::ElementsAre("product:1", "product:2"));

  copies_->tell(1);
  EXPECT_EQ(collect(), "");
  copies_->tell(0);

  EXPECT_EQ(collect(), ":0\r\n+OK\r\n:1\r\n$-1\r\n");
}

TEST_F(SessionTold, WhereItCannotBeToldNobodyWaits) {
  copies_->away = true;

  EXPECT_EQ(ask("DEL product:1"), ":0\r\n");
  EXPECT_EQ(ask("FLUSHALL"), "+OK\r\n");
}

TEST_F(SessionTold, WhatIsInNoSharedTierIsAnsweredAtOnce) {
  ask("SET tag:a x");

  EXPECT_EQ(ask("DEL tag:a"), ":1\r\n");
  EXPECT_EQ(ask("LARDER INVALIDATE CACHE tag"), "+OK\r\n");
  EXPECT_TRUE(copies_->waiting.empty());
}

TEST_F(SessionTold, InATransactionItsReplyWaitsAmongTheOthers) {
  ask("MULTI");
  ask("SET tag:a x");
  ask("FLUSHALL");
  ask("EXISTS tag:a");

  EXPECT_EQ(ask("EXEC"), "*3\r\n+OK\r\n");
  copies_->tell(0);

  EXPECT_EQ(collect(), "+OK\r\n:0\r\n");
}

TEST_F(SessionTold, NoNewsComesBetweenTheRepliesOfATransaction) {
  ask("HELLO 3");
  ask("CLIENT TRACKING ON");
  ask("DEL product:1");  // before the transaction, and so no part of its array
  ask("MULTI");
  ask("FLUSHALL");
  ask("ECHO z");
  const std::string news = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

  EXPECT_EQ(ask("EXEC") + collect(), news);
  copies_->tell(0);
  EXPECT_EQ(collect(), ":0\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n");
  copies_->tell(1);

  EXPECT_EQ(collect(), "+OK\r\n$1\r\nz\r\n" + news);
}

TEST_F(SessionTold, NewsOfOthersWaitsForTheEndOfATransactionsReplies) {
  ask("HELLO 3");
  ask("CLIENT TRACKING ON BCAST");
  ask("MULTI");
  ask("FLUSHALL");
  EXPECT_EQ(ask("EXEC"), "*1\r\n");
  (void)collect();

  Session other{context_, state_.next_client_id(), [] {}};
  other.receive(command("SET tag:a x"));
  other.replies().keep();
  EXPECT_EQ(collect(), "");
  copies_->tell(0);

  const std::string replies = collect();
  EXPECT_TRUE(replies.starts_with("+OK\r\n>2\r\n")) << replies;
  EXPECT_TRUE(replies.contains("tag:a")) << replies;
}

TEST_F(SessionTold, WhoWantsNoRepliesGetsNone) {
  ask("CLIENT REPLY SKIP");
  EXPECT_EQ(ask("DEL product:1"), "");

  EXPECT_TRUE(copies_->waiting.empty()) << "and waits for none";
  EXPECT_EQ(ask("PING"), "+PONG\r\n");
}

TEST_F(SessionTold, WhoWantsNoRepliesGetsNoneOfATransactionEither) {
  ask("CLIENT REPLY OFF");
  send(command("MULTI") + command("FLUSHALL") + command("PING") + command("FLUSHALL") +
       command("EXEC"));

  EXPECT_EQ(ask("CLIENT REPLY ON"), "+OK\r\n");
  EXPECT_TRUE(copies_->waiting.empty());
}

// What is told while a command runs is taken when it has written its reply.
TEST_F(SessionTold, ThatAnotherIsToldWhileACommandRunsChangesNoReply) {
  copies_->during = [this] {
    if (copies_->waiting.size() % 2 == 0) copies_->tell(copies_->waiting.size() - 2);
  };
  std::string batch;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const std::string text(40, static_cast<char>('a' + i));
    batch += command("DEL product:1") + command("ECHO " + text) + command("CLIENT REPLY SKIP") +
             command("DEL product:2") + command("DEL product:3") + command("ECHO " + text);
    const std::string echo = "$40\r\n" + text + "\r\n";
    expected.append(":0\r\n").append(echo).append(":0\r\n").append(echo);
  }
  std::string replies = send(batch);
  for (std::size_t i = 0; i < copies_->waiting.size(); ++i) {
    if (copies_->waiting[i]) copies_->tell(i);
  }

  replies += collect();

  EXPECT_EQ(replies, expected);
}

TEST_F(SessionTold, WhatIsToldBeforeItsReplyHasAPlaceIsAnsweredAtOnce) {
  copies_->during = [this] { copies_->tell(0); };

  EXPECT_EQ(ask("DEL product:1"), ":0\r\n");
}

TEST_F(SessionTold, AClientThatIsGoneWaitsForNothing) {
  ask("DEL product:1");

  session_.reset();
  copies_->tell(0);

  EXPECT_EQ(wakes_, 1) << "whoever is woken looks who is there";
}

// A reply that waits is one more in the pipeline, which is bounded.
TEST_F(SessionTold, NoMoreWaitThanThePipelineTakes) {
  context_.limits.max_pipeline = 2;
  EXPECT_EQ(send(command("DEL product:1") + command("DEL product:2") + command("DEL product:3")),
            "");
  EXPECT_EQ(copies_->waiting.size(), 2U);

  copies_->tell(0);
  EXPECT_EQ(collect(), ":0\r\n");
  ASSERT_EQ(copies_->waiting.size(), 3U);
  copies_->tell(1);
  copies_->tell(2);

  EXPECT_EQ(collect(), ":0\r\n:0\r\n");
}

}  // namespace
}  // namespace larder::test
