// Bytes as they come: in pieces, malformed, too many; and clients that do not read.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionInput : public SessionTest {};

TEST_F(SessionInput, ACommandMayArriveByteByByte) {
  std::string reply;
  for (const char byte : command("SET tag:a x") + command("GET tag:a")) reply += send({&byte, 1});

  EXPECT_EQ(reply, "+OK\r\n$1\r\nx\r\n");
}

TEST_F(SessionInput, InlineCommandsAreUnderstood) {
  EXPECT_EQ(send("SET tag:a \"a b\"\r\nGET tag:a\r\n"), "+OK\r\n$3\r\na b\r\n");
}

TEST_F(SessionInput, AMalformedRequestIsAnsweredInOrderAndEndsTheSession) {
  EXPECT_EQ(send(command("GET product:1") + "*1\r\n$x\r\n" + command("PING")), "");
  EXPECT_TRUE(session_->finished());

  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n-ERR Protocol error: invalid bulk length\r\n");
  EXPECT_EQ(state_.sum(&Counters::protocol_errors), 1U);
}

// Commands are decoded ahead of the one that has to wait.
TEST_F(SessionInput, AnErrorBehindACommandThatWaitsIsAnsweredBehindIt) {
  EXPECT_EQ(send(command("GET product:1") + command("DEL product:1") + "*1\r\n$x\r\n"), "");
  EXPECT_FALSE(session_->finished());

  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n:1\r\n-ERR Protocol error: invalid bulk length\r\n");
  EXPECT_TRUE(session_->finished());
}

TEST_F(SessionInput, ACommandMayBeCutOffBehindOneThatWaits) {
  const std::string last = command("SET tag:a x");
  for (std::size_t cut = 1; cut < last.size(); cut += 3) {
    open();
    ask("DEL product:1");
    send(command("GET product:1") + command("DEL product:1") + last.substr(0, cut));
    source_->succeed(source_->asked().size() - 1);
    EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n:1\r\n") << "cut at " << cut;

    EXPECT_EQ(send(last.substr(cut)), "+OK\r\n") << "cut at " << cut;
  }
}

TEST_F(SessionInput, CommandsOfAnyLengthKeepTheirOrder) {
  std::string words;
  for (int i = 0; i < 20; ++i) words += " tag:" + std::to_string(i);
  std::string pipeline;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string value = std::to_string(1000 + i);
    pipeline += command("SET tag:" + std::to_string(i % 7) + " " + value);
    pipeline +=
        i % 3 == 0 ? command("EXISTS" + words) : command("GET tag:" + std::to_string(i % 7));
    if (i % 5 == 0) pipeline += "ECHO inline\r\n";
    expected += "+OK\r\n";
    expected +=
        i % 3 == 0 ? ":" + std::to_string(std::min(i + 1, 7)) + "\r\n" : "$4\r\n" + value + "\r\n";
    if (i % 5 == 0) expected += "$6\r\ninline\r\n";
  }

  EXPECT_EQ(send(pipeline), expected);
}

TEST_F(SessionInput, QuitIsTheLastCommand) {
  EXPECT_EQ(send(command("QUIT") + command("PING")), "+OK\r\n");

  EXPECT_TRUE(session_->finished());
  EXPECT_FALSE(session_->wants_input());
}

TEST_F(SessionInput, WhatWasAskedBeforeTheInputEndedIsAnswered) {
  send(command("GET product:1") + command("DEL product:1"));
  session_->end_input();
  EXPECT_FALSE(session_->finished());

  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n:1\r\n");
  EXPECT_TRUE(session_->finished());
}

class SessionWithSmallBuffers : public SessionTest {
 protected:
  SessionWithSmallBuffers()
      : SessionTest{{.max_value = {1 << 20},
                     .max_reply_buffer = {4096},
                     .max_pipeline = 3,
                     .send_batch = {1024}}} {}
};

TEST_F(SessionWithSmallBuffers, AClientThatDoesNotReadIsNotServedFurther) {
  ask("SET tag:a " + std::string(600, 'x'));
  session_->receive(command("GET tag:a") + command("GET tag:a") + command("GET tag:a") +
                    command("PING"));

  EXPECT_FALSE(session_->wants_input());
  EXPECT_LT(session_->replies().bytes(), 1300U);

  EXPECT_THAT(received(), ::testing::EndsWith("+PONG\r\n"));
  EXPECT_TRUE(session_->wants_input());
}

TEST_F(SessionWithSmallBuffers, ALongPipelineOfMissesWaits) {
  std::string pipeline;
  for (int i = 1; i <= 5; ++i) pipeline += command("GET product:" + std::to_string(i));
  send(pipeline);

  EXPECT_EQ(source_->asked().at(0).size(), 3U);
  EXPECT_FALSE(session_->wants_input());

  source_->succeed(0);
  std::string replies = collect();
  source_->succeed(1);
  replies += collect();

  EXPECT_THAT(replies, HasSubstr("<product:5>"));
  EXPECT_TRUE(session_->wants_input());
}

TEST_F(SessionWithSmallBuffers, AnMgetThatDoesNotFitIsAnError) {
  ask("SET tag:a " + std::string(1000, 'x'));

  EXPECT_THAT(ask("MGET tag:a tag:a tag:a tag:a tag:a tag:a"),
              StartsWith("-ERR the reply does not fit"));
  EXPECT_EQ(ask("PING"), "+PONG\r\n");
}

TEST_F(SessionWithSmallBuffers, AnMgetOfManySmallValuesCountsWhatHoldsThem) {
  ask("SET tag:a x");
  std::string mget = "MGET product:1";
  for (int i = 0; i < 50; ++i) mget += " tag:a";

  EXPECT_THAT(ask(mget), StartsWith("-ERR the reply does not fit"));
}

TEST_F(SessionWithSmallBuffers, AnMgetThatDoesNotFitOnceItIsLoadedIsAnError) {
  ask("SET tag:a " + std::string(1900, 'x'));
  EXPECT_EQ(ask("MGET tag:a tag:a product:1234567890123456789"), "");

  source_->succeed(0);

  EXPECT_THAT(collect(), StartsWith("-ERR the reply does not fit"));
}

TEST_F(SessionWithSmallBuffers, RepliesThatComeTogetherNeedNotFitTogether) {
  const std::string value(3000, 'x');
  send(command("GET product:1") + command("GET product:2") + command("GET product:3"));

  source_->succeed_with(0, value);

  const std::string reply = "$3000\r\n" + value + "\r\n";
  EXPECT_EQ(collect(), reply + reply + reply);
}

TEST_F(SessionWithSmallBuffers, AValueBeyondTheLimitIsRefusedBeforeItArrives) {
  EXPECT_THAT(send("*3\r\n$3\r\nSET\r\n$5\r\ntag:a\r\n$2000000\r\n"),
              StartsWith("-ERR Protocol error: invalid bulk length"));
  EXPECT_TRUE(session_->finished());
}

// ---- What a session keeps. ----

class SessionMemory : public SessionTest {
 protected:
  // More than before `act`, whatever a session has anyway.
  template <class Act>
  std::size_t grown_by(Act&& act) {
    ask("PING");
    const std::size_t before = session_->kept_bytes();
    act();
    return session_->kept_bytes() - before;
  }
};

TEST_F(SessionMemory, CountsACommandThatIsNotWholeYet) {
  const std::string half = command("SET tag:a " + std::string(100'000, 'x')).substr(0, 50'000);

  EXPECT_GE(grown_by([&] { send(half); }), 50'000U);
}

TEST_F(SessionMemory, CountsRepliesThatWereNotRead) {
  ask("SET tag:a " + std::string(100'000, 'x'));
  const std::size_t unread = grown_by([&] {
    session_->receive(command("GET tag:a"));
    session_->replies().keep();
  });

  EXPECT_GE(unread, 100'000U);
  received();
  EXPECT_LT(session_->kept_bytes(), 10'000U);
}

TEST_F(SessionMemory, CountsATransaction) {
  const std::size_t queued = grown_by([&] {
    ask("MULTI");
    ask("SET tag:a " + std::string(100'000, 'x'));
  });

  EXPECT_GE(queued, 100'000U);
  ask("DISCARD");
  EXPECT_LT(session_->kept_bytes(), 10'000U);
}

TEST_F(SessionMemory, CountsKeysThatWaitForLoads) {
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += command("GET product:" + std::to_string(i));

  EXPECT_GE(grown_by([&] { send(pipeline); }), 100U * 200);

  source_->succeed(0);
  collect();
  EXPECT_LT(session_->kept_bytes(), 10'000U);
}

}  // namespace
}  // namespace larder::test
