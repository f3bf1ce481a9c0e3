// Who a client is, and what it may do.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::StartsWith;

constexpr auto kNoAuth = "-NOAUTH Authentication required.\r\n";
constexpr auto kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
constexpr auto kNoKey =
    "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";

User user(std::string name, std::string_view password, std::vector<Grant> grants) {
  return {std::move(name), PasswordHash::of(password, {.log_rounds = 10}).value(), Rights{grants}};
}

// The users default (password "pw", everything), reader and writer of tags.
class SessionLogin : public SessionTest {
 protected:
  SessionLogin() { use("pw"); }

  void use(std::string_view password) {
    authenticator_->replace(Users::of(
        {User{"default", PasswordHash::of(password, {.log_rounds = 10}).value(), Rights::all()},
         user("reader", "r", {{Right::kRead, "tag"}}),
         user("writer", "w", {{Right::kWrite, "tag"}}),
         user("watcher", "x", {{Right::kRead, "*"}})}));
    open();
  }
  // What came of it once the password is checked.
  std::string log_in(std::string_view line) {
    std::string reply = ask(line);
    while (!checks_.empty()) {
      auto check = std::move(checks_.front());
      checks_.pop_front();
      check();
    }
    return reply + collect();
  }
};

TEST_F(SessionLogin, NobodyMayDoNothing) {
  EXPECT_EQ(ask("GET tag:a"), kNoAuth);
  EXPECT_EQ(ask("PING"), kNoAuth);
  EXPECT_EQ(ask("ACL WHOAMI"), kNoAuth);
  EXPECT_THAT(ask("HELLO 3"), StartsWith("-NOAUTH HELLO must be called with the client already"));
}

TEST_F(SessionLogin, NobodyMaySayGoodbye) { EXPECT_EQ(ask("QUIT"), "+OK\r\n"); }

TEST_F(SessionLogin, APasswordAloneIsTheDefaultUsers) {
  EXPECT_EQ(log_in("AUTH pw"), "+OK\r\n");
  EXPECT_EQ(ask("ACL WHOAMI"), "$7\r\ndefault\r\n");
}

TEST_F(SessionLogin, AWrongPasswordLetsNobodyIn) {
  EXPECT_EQ(log_in("AUTH wrong"), kWrongPass);
  EXPECT_EQ(log_in("AUTH nobody pw"), kWrongPass);
  EXPECT_EQ(ask("PING"), kNoAuth);
}

TEST_F(SessionLogin, AWrongPasswordLeavesTheUserAsItWas) {
  log_in("AUTH reader r");
  EXPECT_EQ(log_in("AUTH writer wrong"), kWrongPass);
  EXPECT_EQ(ask("ACL WHOAMI"), "$6\r\nreader\r\n");
}

TEST_F(SessionLogin, HelloLogsIn) {
  EXPECT_THAT(log_in("HELLO 3 AUTH reader r SETNAME shop"), StartsWith("%7\r\n"));
  EXPECT_EQ(ask("CLIENT GETNAME"), "$4\r\nshop\r\n");
  EXPECT_EQ(ask("ACL WHOAMI"), "$6\r\nreader\r\n");
}

TEST_F(SessionLogin, AHelloThatIsRefusedChangesNothing) {
  EXPECT_EQ(log_in("HELLO 3 AUTH default wrong"), kWrongPass);
  log_in("AUTH pw");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");  // still RESP2
}

TEST_F(SessionLogin, WhatComesBehindAPasswordWaitsUntilItIsChecked) {
  EXPECT_EQ(send(command("AUTH pw") + command("PING") + command("NOSUCH")), "");
  checks_.front()();

  EXPECT_EQ(collect(),
            "+OK\r\n+PONG\r\n"
            "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
}

TEST_F(SessionLogin, AClientThatStopsSendingStillLearnsWhatCameOfIt) {
  EXPECT_EQ(ask("AUTH pw"), "");
  session_->end_input();
  EXPECT_FALSE(session_->finished());
  checks_.front()();

  EXPECT_EQ(collect(), "+OK\r\n");
  EXPECT_TRUE(session_->finished());
}

TEST_F(SessionLogin, AClientMayGoWhileItsPasswordIsChecked) {
  ask("AUTH pw");
  session_.reset();

  checks_.front()();

  EXPECT_EQ(wakes_, 1);
}

TEST_F(SessionLogin, TooManyFailuresHaveToWait) {
  for (int i = 0; i < 11; ++i) log_in("AUTH wrong" + std::to_string(i));

  EXPECT_EQ(log_in("AUTH pw"),
            "-ERR too many failed logins from your address; try again in 1 second\r\n");
}

TEST_F(SessionLogin, AReaderReadsItsCacheAlone) {
  log_in("AUTH reader r");

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
  EXPECT_EQ(ask("GET product:1"), kNoKey);
  EXPECT_EQ(ask("MGET tag:a product:1"), kNoKey);
  EXPECT_EQ(ask("SET tag:a x"), kNoKey);
  EXPECT_EQ(ask("LARDER EXPLAIN product:1"), kNoKey);
}

TEST_F(SessionLogin, AWriterReadsNothing) {
  log_in("AUTH writer w");

  EXPECT_EQ(ask("SET tag:a x"), "+OK\r\n");
  EXPECT_EQ(ask("GET tag:a"), kNoKey);
  EXPECT_EQ(ask("GETDEL tag:a"), kNoKey);
  EXPECT_EQ(ask("INCR tag:a"), kNoKey);
  EXPECT_EQ(ask("SET tag:a y GET"),
            "-NOPERM this user has no permissions to run the 'set' command\r\n");
  EXPECT_EQ(ask("DEL tag:a"), ":1\r\n");
}

TEST_F(SessionLogin, WhatConcernsAllCachesNeedsARightToAll) {
  log_in("AUTH reader r");
  EXPECT_EQ(ask("DBSIZE"), "-NOPERM this user has no permissions to run the 'dbsize' command\r\n");
  EXPECT_THAT(ask("SCAN 0"), StartsWith("-NOPERM"));
  EXPECT_THAT(ask("KEYS *"), StartsWith("-NOPERM"));
  EXPECT_THAT(ask("RANDOMKEY"), StartsWith("-NOPERM"));

  log_in("AUTH watcher x");
  EXPECT_EQ(ask("DBSIZE"), ":0\r\n");
  EXPECT_THAT(ask("FLUSHALL"), StartsWith("-NOPERM"));
}

TEST_F(SessionLogin, ResetMakesTheClientNobody) {
  log_in("HELLO 3 AUTH default pw");

  EXPECT_EQ(ask("RESET"), "+RESET\r\n");

  EXPECT_EQ(ask("PING"), kNoAuth);
}

TEST_F(SessionLogin, AUserWhosePasswordChangedIsSentAway) {
  log_in("AUTH pw");
  auto* const before = &*session_;
  authenticator_->replace(Users::of(
      {User{"default", PasswordHash::of("other", {.log_rounds = 10}).value(), Rights::all()}}));

  EXPECT_EQ(ask("GET tag:a"), "");

  EXPECT_TRUE(before->finished());
}

TEST_F(SessionLogin, RightsThatChangeHoldAtOnce) {
  const User before = user("web", "w", {{Right::kRead, "tag"}});
  authenticator_->replace(Users::of({before}));
  open();
  log_in("AUTH web w");
  ASSERT_EQ(ask("GET tag:a"), "$-1\r\n");

  authenticator_->replace(Users::of({User{before.name, before.password, Rights{}}}));

  EXPECT_EQ(ask("GET tag:a"), kNoKey);
}

TEST_F(SessionLogin, WithoutUsersAnybodyIsDefault) {
  authenticator_->replace(Users::open());
  open();

  EXPECT_EQ(ask("ACL WHOAMI"), "$7\r\ndefault\r\n");
  EXPECT_THAT(ask("AUTH pw"), StartsWith("-ERR AUTH <password> called without any password"));
  EXPECT_EQ(ask("AUTH default whatever"), "+OK\r\n");
}

TEST_F(SessionLogin, AWordOfHttpClosesWithoutAnAnswer) {
  for (const std::string line : {"POST / HTTP/1.1\r\n", "Host: localhost\r\n"}) {
    open();

    EXPECT_EQ(send(line + "PING\r\n"), "");

    EXPECT_TRUE(session_->finished());
  }
}

}  // namespace
}  // namespace larder::test
