// MONITOR: what those who watch are shown of the others.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr MonitorFeed::Time kThen{std::chrono::microseconds{1'339'518'083'107'412}};

std::string line_of(std::vector<std::string_view> words) {
  return monitor_line(kThen, "127.0.0.1:60866", words);
}

TEST(MonitorLine, SaysWhenWhoAndWhat) {
  EXPECT_EQ(line_of({"get", "tag:a"}), R"(1339518083.107412 [0 127.0.0.1:60866] "get" "tag:a")");
}

TEST(MonitorLine, QuotesWhatCouldBreakIt) {
  EXPECT_EQ(line_of({"a\r\nb", "\"\\", std::string_view{"\0\xff\t", 3}}),
            R"(1339518083.107412 [0 127.0.0.1:60866] "a\r\nb" "\"\\" "\x00\xff\t")");
}

TEST(MonitorLine, IsCutWhereWordsAreLongOrMany) {
  const std::string longest(MonitorFeed::kMostOfWord + 5, 'x');
  EXPECT_THAT(line_of({"set", longest}), HasSubstr("xxx... (5 more bytes)\""));
  EXPECT_THAT(line_of(std::vector<std::string_view>(MonitorFeed::kMostWords + 7, "k")),
              HasSubstr("\"k\" \"... (7 more arguments)\""));
}

// The fixture's client watches another.
class SessionMonitor : public SessionTest {
 protected:
  void other_asks(std::string_view line) {
    other_.receive(command(line));
    auto& ready = other_.replies().ready();
    ready.consume(ready.size());
    other_.replies().keep();
  }

  Session other_{context_,
                 state_.next_client_id(),
                 [] {},
                 {},
                 {.address = "10.0.0.2:5000", .local_address = "10.0.0.1:6380"}};
};

TEST_F(SessionMonitor, ShowsWhatOthersDoInTheirOrder) {
  EXPECT_EQ(ask("MONITOR"), "+OK\r\n");

  other_asks("SET tag:a x");
  other_asks("get tag:a");

  EXPECT_EQ(wakes_, 1);
  EXPECT_THAT(collect(),
              MatchesRegex("\\+[0-9]+\\.[0-9]{6} \\[0 10.0.0.2:5000\\] \"SET\" \"tag:a\" "
                           "\"x\"\r\n\\+[^\r]* \"get\" \"tag:a\"\r\n"));
  EXPECT_EQ(collect(), "");
}

TEST_F(SessionMonitor, ShowsNothingThatWasRefused) {
  ask("MONITOR");

  other_asks("NOSUCH x");
  other_asks("GET");
  other_asks("MONITOR");  // nor what is for administrators

  EXPECT_EQ(collect(), "");
}

TEST_F(SessionMonitor, ShowsWhatATransactionDoesWhenItDoesIt) {
  ask("MONITOR");

  other_asks("MULTI");
  other_asks("INCR tag:n");
  EXPECT_THAT(collect(), MatchesRegex("\\+[^\r]*\"MULTI\"\r\n"));
  other_asks("EXEC");

  EXPECT_THAT(collect(), MatchesRegex("\\+[^\r]*\"INCR\" \"tag:n\"\r\n\\+[^\r]*\"EXEC\"\r\n"));
}

TEST_F(SessionMonitor, HidesPasswords) {
  ask("MONITOR");

  other_asks("AUTH someone secret");
  other_asks("HELLO 3 AUTH someone secret SETNAME x");
  const std::string shown = collect();

  EXPECT_THAT(shown, HasSubstr("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"));
  EXPECT_THAT(shown, Not(HasSubstr("secret")));
}

TEST_F(SessionMonitor, EndsWithReset) {
  ask("MONITOR");
  ask("RESET");
  collect();

  other_asks("SET tag:a x");

  EXPECT_EQ(collect(), "");
  EXPECT_FALSE(state_.monitors().watched());
}

TEST_F(SessionMonitor, EndsWithItsClient) {
  ask("MONITOR");
  EXPECT_TRUE(state_.monitors().watched());

  session_.reset();

  EXPECT_FALSE(state_.monitors().watched());
  other_asks("SET tag:a x");
}

TEST_F(SessionMonitor, EndsWhenTheRightIsTaken) {
  ask("MONITOR");
  authenticator_->replace(
      Users::of({User{"default", std::nullopt, Rights{std::vector<Grant>{{Right::kWrite, "*"}}}}}));

  other_asks("SET tag:a secret");

  EXPECT_EQ(collect(), "");
  EXPECT_TRUE(session_->killed());
}

TEST_F(SessionMonitor, CannotBeginInsideATransaction) {
  ask("MULTI");

  EXPECT_EQ(ask("MONITOR"), "-ERR Command not allowed inside a transaction\r\n");
}

class SessionMonitorOfLittle : public SessionTest {
 protected:
  SessionMonitorOfLittle() : SessionTest{{.max_reply_buffer = {4096}}} {}
};

TEST_F(SessionMonitorOfLittle, IsClosedRatherThanThatItsLinesPileUp) {
  ask("MONITOR");
  Session other{context_, state_.next_client_id(), [] {}};

  for (int i = 0; i < 1000; ++i) {
    other.receive(command("PING"));
    other.replies().drop();
  }

  EXPECT_EQ(collect(), "");
  EXPECT_TRUE(session_->killed());
  EXPECT_FALSE(state_.monitors().watched());
  EXPECT_EQ(state_.met(LimitMet::kReplyBuffer), 1);
}

TEST_F(SessionMonitor, WhatWaitsForItCountsAsMemoryOfClients) {
  ask("MONITOR");
  const std::uint64_t before = state_.client_memory();

  for (int i = 0; i < 100; ++i) other_asks("PING");

  EXPECT_GE(session_->waiting_for_it(), 100 * std::string_view{"\"PING\"\r\n"}.size());
  EXPECT_EQ(state_.client_memory(), before + session_->waiting_for_it());
  collect();
  EXPECT_EQ(state_.client_memory(), before);
  other_asks("PING");
  session_.reset();
  EXPECT_EQ(state_.client_memory(), before);
}

class SessionMonitorOfAll : public SessionTest {
 protected:
  SessionMonitorOfAll() : SessionTest{{.max_client_memory = {8192}}} {}
};

TEST_F(SessionMonitorOfAll, IsLookedForWhenWhatWaitsForItIsTooMuch) {
  int sheds = 0;
  state_.set_shed([&] { ++sheds; });
  ask("MONITOR");
  Session other{context_, state_.next_client_id(), [] {}};

  for (int i = 0; i < 1000 && sheds == 0; ++i) {
    other.receive(command("PING"));
    other.replies().drop();
  }

  EXPECT_EQ(sheds, 1);
  EXPECT_GT(session_->waiting_for_it(), 8192);
}

TEST_F(SessionMonitorOfLittle, IsClosedWhenItDoesNotRead) {
  ask("MONITOR");
  Session other{context_, state_.next_client_id(), [] {}};

  for (int i = 0; i < 1000 && !session_->killed(); ++i) {
    other.receive(command("PING"));
    other.replies().drop();
    session_->collect();
    session_->replies().keep();
  }

  EXPECT_TRUE(session_->killed());
  EXPECT_LE(session_->replies().bytes(), 4096);
}

}  // namespace
}  // namespace larder::test
