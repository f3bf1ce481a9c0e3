// MULTI, EXEC and WATCH as one client sees them; how they compare with Redis is
// the differential test's.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionTransaction : public SessionTest {
 protected:
  // Another client's command, carried out at once.
  void elsewhere(std::string_view line) {
    Session other{context_, 99, [] {}};
    other.receive(command(line));
    other.replies().drop();
    other.replies().keep();
  }
};

TEST_F(SessionTransaction, ExecCarriesOutWhatWasQueued) {
  EXPECT_EQ(ask("MULTI"), "+OK\r\n");
  EXPECT_EQ(ask("SET tag:a 1"), "+QUEUED\r\n");
  EXPECT_EQ(ask("INCR tag:a"), "+QUEUED\r\n");

  EXPECT_EQ(ask("EXEC"), "*2\r\n+OK\r\n:2\r\n");
}

TEST_F(SessionTransaction, DiscardForgetsWhatWasQueued) {
  ask("MULTI");
  ask("SET tag:a 1");

  EXPECT_EQ(ask("DISCARD"), "+OK\r\n");

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionTransaction, AMistakeBeforeExecCarriesOutNothing) {
  ask("MULTI");
  ask("SET tag:a 1");
  ask("GET");

  EXPECT_EQ(ask("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionTransaction, AKeyWithASourceIsRefusedWithTheReason) {
  ask("MULTI");

  EXPECT_THAT(ask("GET product:1"),
              AllOf(StartsWith("-REFUSED cache \"product\" has a source"), HasSubstr("MULTI")));
  EXPECT_THAT(ask("EXEC"), StartsWith("-EXECABORT"));
  EXPECT_THAT(ask("WATCH product:1"), StartsWith("-REFUSED cache \"product\" has a source"));
}

TEST_F(SessionTransaction, AWatchedKeyThatAnotherClientChangedStopsExec) {
  ask("SET tag:a 1");
  ask("WATCH tag:a");
  elsewhere("SET tag:a 1");  // the same value: still a write
  clock_.advance(1ms);
  elsewhere("SET tag:a 1");
  ask("MULTI");
  ask("SET tag:b 1");

  EXPECT_EQ(ask("EXEC"), "*-1\r\n");
  EXPECT_EQ(ask("GET tag:b"), "$-1\r\n");
}

TEST_F(SessionTransaction, AWatchedKeyThatExpiredStopsExec) {
  ask("SET tag:a 1 PX 10");
  ask("WATCH tag:a");
  clock_.advance(10ms);
  ask("MULTI");

  EXPECT_EQ(ask("EXEC"), "*-1\r\n");
}

TEST_F(SessionTransaction, AWatchedKeyThatStaysLetsExecGo) {
  ask("SET tag:a 1");
  ask("WATCH tag:a tag:none");
  elsewhere("SET tag:b 1");
  elsewhere("GET tag:a");
  ask("MULTI");
  ask("INCR tag:a");

  EXPECT_EQ(ask("EXEC"), "*1\r\n:2\r\n");
}

TEST_F(SessionTransaction, ExecForgetsWhatWasWatched) {
  ask("WATCH tag:a");
  ask("MULTI");
  ask("EXEC");
  elsewhere("SET tag:a 1");
  ask("MULTI");

  EXPECT_EQ(ask("EXEC"), "*0\r\n");
}

class SmallRequests : public SessionTest {
 protected:
  SmallRequests() : SessionTest{{.max_request = {2000}}} {}
};

TEST_F(SmallRequests, ATransactionHoldsNoMoreThanARequestMay) {
  ask("MULTI");
  std::string last;
  for (int i = 0; i < 30; ++i) last = ask("SET tag:a " + std::string(100, 'x'));

  EXPECT_THAT(last, HasSubstr("server.max_request"));
  EXPECT_THAT(ask("EXEC"), StartsWith("-EXECABORT"));
  EXPECT_GT(state_.met(LimitMet::kRequest), 0U);
}

TEST_F(SmallRequests, SoDoWatchedKeys) {
  std::string last;
  for (int i = 0; i < 30; ++i) last = ask("WATCH tag:" + std::to_string(i));

  EXPECT_THAT(last, AllOf(StartsWith("-ERR"), HasSubstr("server.max_request")));
  EXPECT_EQ(ask("UNWATCH"), "+OK\r\n");
  EXPECT_EQ(ask("WATCH tag:a"), "+OK\r\n");
}

TEST_F(SessionTransaction, WatchingAKeyAgainTakesNoMemory) {
  ask("WATCH tag:a");
  const std::size_t kept = session_->kept_bytes();

  for (int i = 0; i < 100; ++i) ask("WATCH tag:a");

  EXPECT_EQ(session_->kept_bytes(), kept);
}

}  // namespace
}  // namespace larder::test
