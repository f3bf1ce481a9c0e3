// CLIENT: what a client learns and does of itself and of others.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Two clients: the fixture's, number 1, and another, number 2.
class SessionClients : public SessionTest {
 protected:
  explicit SessionClients(Limits limits = {}) : SessionTest{limits} {}

  std::string other_asks(std::string_view line) {
    other_.receive(command(line));
    std::string bytes;
    auto& ready = other_.replies().ready();
    while (!ready.empty()) {
      std::string_view piece[1];
      if (ready.gather(piece) == 0) break;
      bytes += piece[0];
      ready.consume(piece[0].size());
    }
    other_.replies().keep();
    return bytes;
  }

  int other_wakes_ = 0;
  Session other_{context_,
                 state_.next_client_id(),
                 [this] { ++other_wakes_; },
                 {},
                 {.address = "10.0.0.2:5000", .local_address = "10.0.0.1:6380", .descriptor = 9}};
};

TEST_F(SessionClients, InfoIsALineAboutOneself) {
  EXPECT_EQ(other_asks("CLIENT SETNAME shop"), "+OK\r\n");
  EXPECT_EQ(other_asks("CLIENT SETINFO LIB-NAME redis-py"), "+OK\r\n");

  EXPECT_THAT(
      other_asks("CLIENT INFO"),
      AllOf(HasSubstr("\r\nid=2 addr=10.0.0.2:5000 laddr=10.0.0.1:6380 fd=9 name=shop age=0 idle=0 "
                      "flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 "),
            HasSubstr(" cmd=client|info user=default redir=-1 resp=2 lib-name=redis-py lib-ver=\n"),
            Not(HasSubstr("id=1 "))));
}

TEST_F(SessionClients, InfoIsVerbatimTextInTheNewProtocol) {
  ask("HELLO 3");

  EXPECT_THAT(ask("CLIENT INFO"),
              AllOf(StartsWith("="), HasSubstr("\r\ntxt:id=1 "), HasSubstr(" resp=3 ")));
}

TEST_F(SessionClients, InfoIsEmptyOfNothingWithinATransaction) {
  ask("MULTI");
  ask("GET tag:a");
  ask("CLIENT INFO");

  EXPECT_THAT(ask("EXEC"), HasSubstr("id=1 "));
}

TEST_F(SessionClients, ListTellsOfEachWhatItDoes) {
  ask("GET tag:a");
  ask("MULTI");
  ask("GET tag:a");
  clock_.advance(90s);

  const std::string list = other_asks("CLIENT LIST");

  EXPECT_THAT(list, AllOf(HasSubstr("\r\nid=1 "), HasSubstr("\nid=2 "), EndsWith("\n\r\n")));
  EXPECT_THAT(list, HasSubstr(" age=90 idle=90 flags=x db=0 sub=0 psub=0 ssub=0 multi=1 "));
  EXPECT_THAT(list, ContainsRegex(" multi-mem=[1-9][0-9]* "));
  EXPECT_THAT(list, HasSubstr(" cmd=get user=default "));
  EXPECT_THAT(list, HasSubstr(" age=90 idle=0 flags=N "));
}

TEST_F(SessionClients, ListKnowsThePartOfACommandThatWaitsForTheRest) {
  send("*2\r\n$3\r\nGET\r\n");

  EXPECT_THAT(other_asks("CLIENT LIST"), HasSubstr(" qbuf=13 "));
}

TEST_F(SessionClients, ListForgetsWhoIsGone) {
  session_.reset();

  EXPECT_THAT(other_asks("CLIENT LIST"), Not(HasSubstr("id=1 ")));
}

TEST_F(SessionClients, ListTakesRedisFilters) {
  EXPECT_THAT(ask("CLIENT LIST ID 2"), AllOf(HasSubstr("id=2 "), Not(HasSubstr("id=1 "))));
  EXPECT_THAT(ask("CLIENT LIST ID 1 2 77"), AllOf(HasSubstr("id=2 "), HasSubstr("id=1 ")));
  EXPECT_THAT(ask("CLIENT LIST TYPE normal"), AllOf(HasSubstr("id=2 "), HasSubstr("id=1 ")));
  EXPECT_EQ(ask("CLIENT LIST TYPE replica"), "$0\r\n\r\n");
  EXPECT_EQ(ask("CLIENT LIST TYPE x"), "-ERR Unknown client type 'x'\r\n");
  EXPECT_EQ(ask("CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(ask("CLIENT LIST ID"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("CLIENT LIST x y"), "-ERR syntax error\r\n");
}

class SessionClientsOfFewBytes : public SessionClients {
 protected:
  SessionClientsOfFewBytes() : SessionClients{{.max_reply_buffer = {300}}} {}
};

TEST_F(SessionClientsOfFewBytes, ListHasNoMoreThanTheReplyBuffer) {
  EXPECT_THAT(ask("CLIENT LIST ID 1"), HasSubstr("id=1 "));
  EXPECT_THAT(ask("CLIENT LIST"), StartsWith("-ERR the reply does not fit"));
}

TEST_F(SessionClients, KillMarksAClientAndWakesIt) {
  EXPECT_EQ(ask("CLIENT KILL ID 2"), ":1\r\n");

  EXPECT_TRUE(other_.killed());
  EXPECT_EQ(other_wakes_, 1);
  EXPECT_FALSE(session_->killed());
}

TEST_F(SessionClients, KillByAddress) {
  EXPECT_EQ(ask("CLIENT KILL 10.0.0.2:5001"), "-ERR No such client\r\n");
  EXPECT_EQ(ask("CLIENT KILL ADDR 10.0.0.2:5001"), ":0\r\n");
  EXPECT_EQ(ask("CLIENT KILL LADDR 10.0.0.1:6380 ADDR 10.0.0.2:5001"), ":0\r\n");
  EXPECT_FALSE(other_.killed());

  EXPECT_EQ(ask("CLIENT KILL 10.0.0.2:5000"), "+OK\r\n");

  EXPECT_TRUE(other_.killed());
}

TEST_F(SessionClients, KillByAge) {
  clock_.advance(10s);
  open();

  EXPECT_EQ(ask("CLIENT KILL MAXAGE 11"), ":0\r\n");
  EXPECT_EQ(ask("CLIENT KILL MAXAGE 10 SKIPME no"), ":1\r\n");

  EXPECT_TRUE(other_.killed());
  EXPECT_FALSE(session_->finished());
}

TEST_F(SessionClients, KillSparesWhoSaysItUnlessAskedNotTo) {
  EXPECT_EQ(ask("CLIENT KILL ID 1"), ":0\r\n");
  EXPECT_EQ(ask("CLIENT KILL USER default TYPE normal"), ":1\r\n");
  EXPECT_FALSE(session_->finished());

  EXPECT_EQ(ask("CLIENT KILL ID 1 SKIPME no"), ":1\r\n");

  EXPECT_TRUE(session_->finished());
}

TEST_F(SessionClients, KillRefusesWhatRedisRefuses) {
  EXPECT_EQ(ask("CLIENT KILL ID 0"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(ask("CLIENT KILL ID x"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(ask("CLIENT KILL TYPE x"), "-ERR Unknown client type 'x'\r\n");
  EXPECT_EQ(ask("CLIENT KILL USER x"), "-ERR No such user 'x'\r\n");
  EXPECT_EQ(ask("CLIENT KILL ID 2 SKIPME x"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("CLIENT KILL ID 2 ADDR"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("CLIENT KILL x y"), "-ERR syntax error\r\n");
  EXPECT_FALSE(other_.killed());
}

TEST_F(SessionClients, WithoutTheRightToAdministerAClientKnowsOfItselfAlone) {
  authenticator_->replace(
      Users::of({User{"default", std::nullopt,
                      Rights{std::vector<Grant>{{Right::kRead, "*"}, {Right::kWrite, "*"}}}}}));

  EXPECT_THAT(ask("CLIENT LIST"), AllOf(HasSubstr("id=1 "), Not(HasSubstr("id=2 "))));
  EXPECT_EQ(ask("CLIENT LIST ID 2"), "$0\r\n\r\n");
  EXPECT_EQ(ask("CLIENT KILL ID 2"), ":0\r\n");
  EXPECT_EQ(ask("CLIENT KILL 10.0.0.2:5000"), "-ERR No such client\r\n");
  EXPECT_FALSE(other_.killed());
  EXPECT_EQ(ask("CLIENT KILL USER other"), "-ERR No such user 'other'\r\n");
  EXPECT_EQ(ask("CLIENT KILL ID 1 SKIPME no"), ":1\r\n");
}

// ---- Which commands are answered. ----

TEST_F(SessionClients, ReplyOffSilencesAllUntilOn) {
  EXPECT_EQ(ask("CLIENT REPLY OFF"), "");
  EXPECT_EQ(ask("SET tag:a x"), "");
  EXPECT_EQ(ask("NOSUCH"), "");
  EXPECT_EQ(ask("GET"), "");
  EXPECT_EQ(ask("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(ask("CLIENT REPLY ON"), "+OK\r\n");

  EXPECT_EQ(ask("GET tag:a"), "$1\r\nx\r\n");
}

TEST_F(SessionClients, ReplySkipSilencesTheNextCommandAlone) {
  EXPECT_EQ(send(command("CLIENT REPLY SKIP") + command("SET tag:a x") + command("GET tag:a")),
            "$1\r\nx\r\n");
  EXPECT_EQ(ask("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(ask("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(ask("PING"), "");
  EXPECT_EQ(ask("PING"), "+PONG\r\n");
}

TEST_F(SessionClients, AReplyThatComesLateIsSkippedToo) {
  send(command("CLIENT REPLY SKIP") + command("GET product:1") + command("GET product:2") +
       command("PING"));
  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:2>\r\n+PONG\r\n");
}

TEST_F(SessionClients, ACommandThatHasToWaitIsStillTheOneThatIsSkipped) {
  send(command("GET product:1") + command("CLIENT REPLY SKIP") + command("DEL product:1") +
       command("PING"));
  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n+PONG\r\n");
}

TEST_F(SessionClients, ATransactionIsCarriedOutUnanswered) {
  ask("CLIENT REPLY OFF");
  EXPECT_EQ(
      send(command("MULTI") + command("SET tag:a x") + command("INCR tag:n") + command("EXEC")),
      "");
  ask("CLIENT REPLY ON");

  EXPECT_EQ(ask("GET tag:n"), "$1\r\n1\r\n");
}

TEST_F(SessionClients, ALoginIsCarriedOutUnanswered) {
  authenticator_->replace(
      Users::of({User{"default", std::nullopt, Rights::all()},
                 User{"shop", PasswordHash::of("pw", {.log_rounds = 10}).value(), Rights::all()}}));

  EXPECT_EQ(send(command("CLIENT REPLY SKIP") + command("AUTH shop pw") + command("ACL WHOAMI")),
            "");
  checks_.front()();

  EXPECT_EQ(collect(), "$4\r\nshop\r\n");
}

TEST_F(SessionClients, ReplyIsNotForTransactions) {
  ask("MULTI");
  EXPECT_EQ(ask("CLIENT REPLY OFF"), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_THAT(ask("EXEC"), StartsWith("-EXECABORT"));
  EXPECT_EQ(ask("CLIENT REPLY x"), "-ERR syntax error\r\n");
}

// ---- What is told of hot entries, and what larder has no need of. ----

TEST_F(SessionClients, NoTouchLeavesTheHeatOfEntriesAsItIs) {
  ask("SET tag:a x");
  ask("CLIENT NO-TOUCH ON");
  for (int i = 0; i < 5; ++i) ask("GET tag:a");
  EXPECT_EQ(ask("OBJECT FREQ tag:a"), ":0\r\n");
  EXPECT_THAT(ask("CLIENT INFO"), HasSubstr(" flags=T "));

  ask("CLIENT NO-TOUCH OFF");
  ask("GET tag:a");

  EXPECT_EQ(ask("OBJECT FREQ tag:a"), ":1\r\n");
}

TEST_F(SessionClients, NoTouchStillCountsHits) {
  ask("CLIENT NO-TOUCH ON");
  ask("SET tag:a x");
  ask("GET tag:a");

  EXPECT_EQ(keyspace_.members()->at(1).cache->stats().hits, 1U);
}

TEST_F(SessionClients, NoEvictIsNoted) {
  EXPECT_EQ(ask("CLIENT NO-EVICT ON"), "+OK\r\n");
  EXPECT_THAT(ask("CLIENT INFO"), HasSubstr(" flags=e "));
  EXPECT_EQ(ask("CLIENT NO-EVICT x"), "-ERR syntax error\r\n");
}

TEST_F(SessionClients, WhatLarderHasNoNeedOfIsRefusedWithTheReason) {
  EXPECT_THAT(ask("CLIENT PAUSE 100"), StartsWith("-REFUSED larder pauses no clients"));
  EXPECT_EQ(ask("CLIENT UNPAUSE"), "+OK\r\n");
  EXPECT_EQ(ask("CLIENT UNBLOCK 2"), ":0\r\n");
}

}  // namespace
}  // namespace larder::test
