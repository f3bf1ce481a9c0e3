// CLIENT TRACKING: who is told which keys changed, and when.
#include <gmock/gmock.h>

#include <algorithm>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string invalidated(const std::string& key) {
  return ">2\r\n$10\r\ninvalidate\r\n*1\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
}
std::string message(const std::string& key) {
  return "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$" +
         std::to_string(key.size()) + "\r\n" + key + "\r\n";
}
const std::string kAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

// The fixture's client, number 1, keeps copies; another, number 2, changes things.
class SessionTracking : public SessionTest {
 protected:
  explicit SessionTracking(Limits limits = {}) : SessionTest{limits} {}

  std::string other_asks(std::string_view line) {
    other_->receive(command(line));
    return heard_by_other();
  }
  std::string heard_by_other() {
    other_->collect();
    std::string bytes;
    auto& ready = other_->replies().ready();
    while (!ready.empty()) {
      std::string_view piece[1];
      if (ready.gather(piece) == 0) break;
      bytes += piece[0];
      ready.consume(piece[0].size());
    }
    other_->replies().keep();
    return bytes;
  }
  void track(std::string_view options = "") {
    ask("HELLO 3");
    ASSERT_EQ(ask("CLIENT TRACKING ON" + std::string{options}), "+OK\r\n");
  }
  // A row of the source, in memory.
  void load(const std::string& key) {
    other_asks("GET " + key);
    source_->succeed(loads_++);
    heard_by_other();
  }

  std::size_t loads_ = 0;
  std::optional<Session> other_{std::in_place, context_, state_.next_client_id(), [] {}};
};

TEST_F(SessionTracking, TellsOnceOfAKeyThatWasReadAndChanged) {
  track();
  ask("SET tag:a 1");
  collect();
  ask("GET tag:a");

  other_asks("SET tag:a 2");
  EXPECT_EQ(collect(), invalidated("tag:a"));

  other_asks("SET tag:a 3");
  EXPECT_THAT(collect(), IsEmpty());
}

TEST_F(SessionTracking, TellsOfWhateverChangesAKey) {
  track();
  for (const char* change :
       {"SET tag:a 2", "DEL tag:a", "SETNX tag:a 1", "APPEND tag:a x", "EXPIRE tag:a 100",
        "PERSIST tag:a", "GETEX tag:a EX 50", "GETDEL tag:a", "MSET tag:a 1 tag:b 2", "INCR tag:a",
        "LARDER INVALIDATE KEY tag:a"}) {
    ask("GET tag:a");
    other_asks(change);

    EXPECT_EQ(collect(), invalidated("tag:a")) << change;
  }
}

TEST_F(SessionTracking, TellsNothingOfWhatChangesNothing) {
  ask("SET tag:a 1");
  track();
  ask("MGET tag:a tag:b");

  for (const char* each : {"GET tag:a", "SETNX tag:a 2", "SET tag:b 1 XX", "EXPIRE tag:b 10",
                           "EXPIRE tag:a 5 NX", "PERSIST tag:b", "SET tag:c 1"}) {
    other_asks(each);

    EXPECT_THAT(collect(), IsEmpty()) << each;
  }
}

TEST_F(SessionTracking, TellsAlsoOfItsOwnChangesUnlessItWantsNot) {
  track();
  ask("GET tag:a");
  EXPECT_EQ(ask("SET tag:a 1") + collect(), "+OK\r\n" + invalidated("tag:a"));

  ask("CLIENT TRACKING ON NOLOOP");
  ask("GET tag:a");
  EXPECT_EQ(ask("SET tag:a 2") + collect(), "+OK\r\n");
  ask("GET tag:a");
  for (const char* each : {"MULTI", "INCR tag:a", "EXEC"}) ask(each);
  EXPECT_THAT(collect(), IsEmpty());
  ask("GET tag:a");
  other_asks("SET tag:a 3");
  EXPECT_EQ(collect(), invalidated("tag:a"));
}

TEST_F(SessionTracking, TellsOfKeysThatExpire) {
  track();
  other_asks("SET tag:a 1 PX 5000");
  ask("GET tag:a");
  clock_.advance(10s);
  keyspace_.tier().expire(clock_.now(), 1000);
  EXPECT_EQ(collect(), invalidated("tag:a"));
}

TEST_F(SessionTracking, TellsOfEachKeyThatIsEvicted) {
  track();
  const std::string large(200'000, 'x');
  std::ptrdiff_t told = 0;

  for (int i = 0; i < 200; ++i) {
    const std::string key = "tag:" + std::to_string(i);
    other_asks("SET " + key + " " + large);
    ask("GET " + key);
    const std::string heard = collect();
    told += std::ranges::count(heard, '>');
  }

  EXPECT_GT(told, 50);
  EXPECT_EQ(told, keyspace_.tier().stats().evictions);
}

TEST_F(SessionTracking, TellsOfEverythingWhenAllIsDropped) {
  track();
  other_asks("FLUSHALL");
  EXPECT_EQ(collect(), kAll);

  other_asks("LARDER INVALIDATE CACHE tag");
  EXPECT_EQ(collect(), kAll);
}

// ---- Values of sources. ----

TEST_F(SessionTracking, ALoadIsNoChangeOfWhatItLoads) {
  track();
  ask("GET product:1");
  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n");
  EXPECT_THAT(collect(), IsEmpty());
}

TEST_F(SessionTracking, TellsWhenARowIsInvalidatedOrLoadedAnew) {
  load("product:1");
  track();
  ask("GET product:1");
  other_asks("DEL product:1");
  EXPECT_EQ(collect(), invalidated("product:1"));

  load("product:1");
  ask("GET product:1");
  other_asks("LARDER REFRESH product:1");
  source_->succeed(loads_++);
  heard_by_other();
  EXPECT_EQ(collect(), invalidated("product:1"));
}

TEST_F(SessionTracking, WhatWasInvalidatedWhileItWasLoadedIsToldBehindTheReply) {
  track();
  ask("GET product:1");
  other_asks("DEL product:1");
  EXPECT_EQ(collect(), invalidated("product:1"));
  source_->succeed(0);

  EXPECT_THAT(collect(), AllOf(StartsWith("$11\r\n<product:1>\r\n"),
                               HasSubstr("\r\n" + invalidated("product:1"))));
}

TEST_F(SessionTracking, WhatChangesWhileAReplyWaitsBehindALoadIsToldOnceMoreBehindIt) {
  ask("SET tag:a old");
  track();
  EXPECT_THAT(send(command("GET product:1") + command("GET tag:a")), IsEmpty());
  other_asks("SET tag:a new");
  EXPECT_EQ(collect(), invalidated("tag:a"));
  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n$3\r\nold\r\n" + invalidated("tag:a"));
}

// ---- Which reads count. ----

TEST_F(SessionTracking, OptInCountsWhatFollowsCachingYesAlone) {
  track(" OPTIN");
  ask("GET tag:a");
  ask("CLIENT CACHING YES");
  ask("GET tag:b");
  ask("GET tag:c");

  other_asks("MSET tag:a 1 tag:b 1 tag:c 1");
  EXPECT_EQ(collect(), invalidated("tag:b"));

  for (const char* each : {"CLIENT CACHING YES", "MULTI", "GET tag:a", "GET tag:b", "EXEC"}) {
    ask(each);
  }
  ask("GET tag:c");
  other_asks("MSET tag:a 1 tag:b 1 tag:c 1");
  EXPECT_EQ(collect(), invalidated("tag:a") + invalidated("tag:b"));
}

TEST_F(SessionTracking, OptOutCountsAllButWhatFollowsCachingNo) {
  track(" OPTOUT");
  ask("GET tag:a");
  ask("CLIENT CACHING NO");
  ask("GET tag:b");

  other_asks("MSET tag:a 1 tag:b 1");
  EXPECT_EQ(collect(), invalidated("tag:a"));
}

TEST_F(SessionTracking, BroadcastTellsOfAllKeysWithItsPrefixes) {
  track(" BCAST PREFIX tag:a PREFIX product:");
  load("product:1");
  other_asks("MSET tag:a 1 tag:abc 1 tag:b 1");
  other_asks("DEL product:1");

  EXPECT_EQ(collect(), invalidated("tag:a") + invalidated("tag:abc") + invalidated("product:1"));
  ask("CLIENT TRACKING OFF");
  other_asks("SET tag:a 2");
  EXPECT_THAT(collect(), IsEmpty());
}

TEST_F(SessionTracking, BroadcastWithoutAPrefixTellsOfAllKeys) {
  track(" BCAST NOLOOP");
  ask("SET tag:own 1");
  other_asks("SET tag:x 1");

  EXPECT_EQ(collect(), invalidated("tag:x"));
}

TEST_F(SessionTracking, EndsWithOffAndReset) {
  track();
  ask("GET tag:a");
  ask("CLIENT TRACKING OFF");
  other_asks("SET tag:a 1");
  EXPECT_THAT(collect(), IsEmpty());

  track();
  ask("GET tag:a");
  ask("RESET");
  other_asks("SET tag:a 1");
  EXPECT_THAT(collect(), IsEmpty());
  EXPECT_EQ(state_.tracking().counts().clients, 0U);
  EXPECT_EQ(state_.tracking().counts().keys, 0U);
}

// ---- To another connection. ----

TEST_F(SessionTracking, RedirectTellsAClientOfTheOldProtocolThatSubscribed) {
  EXPECT_THAT(other_asks("SUBSCRIBE __redis__:invalidate"),
              AllOf(StartsWith("*3\r\n$9\r\nsubscribe\r\n"), EndsWith(":1\r\n")));
  EXPECT_EQ(ask("CLIENT TRACKING ON REDIRECT 2"), "+OK\r\n");
  EXPECT_EQ(ask("CLIENT GETREDIR"), ":2\r\n");
  ask("GET tag:a");

  ask("SET tag:a 1");

  EXPECT_THAT(collect(), IsEmpty());
  EXPECT_EQ(heard_by_other(), message("tag:a"));
  ask("FLUSHALL");
  EXPECT_EQ(heard_by_other(), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
}

TEST_F(SessionTracking, RedirectToAClientThatIsGoneIsToldInTheNewProtocol) {
  track(" REDIRECT 2");
  ask("GET tag:a");
  other_.reset();

  ask("SET tag:a 1");

  EXPECT_EQ(collect(), ">2\r\n$21\r\ntracking-redir-broken\r\n:2\r\n");
  EXPECT_THAT(ask("CLIENT TRACKINGINFO"), HasSubstr("broken_redirect"));
}

TEST_F(SessionTracking, AClientOfTheOldProtocolHearsNothingByItself) {
  ask("CLIENT TRACKING ON");
  ask("GET tag:a");

  EXPECT_EQ(ask("SET tag:a 1") + collect(), "+OK\r\n");
}

TEST_F(SessionTracking, WhoListensInTheOldProtocolMayDoLittleElse) {
  ask("SUBSCRIBE __redis__:invalidate");

  EXPECT_EQ(
      ask("GET tag:a"),
      "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
      "are allowed in this context\r\n");
  EXPECT_EQ(ask("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  EXPECT_THAT(ask("UNSUBSCRIBE"), EndsWith(":0\r\n"));
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

// As Redis 7.0 answers.
TEST_F(SessionTracking, SubscribeWaitsForExec) {
  ask("MULTI");
  EXPECT_EQ(ask("SUBSCRIBE __redis__:invalidate"), "+QUEUED\r\n");
  EXPECT_EQ(ask("PING"), "+QUEUED\r\n");
  EXPECT_EQ(ask("UNSUBSCRIBE"), "+QUEUED\r\n");

  EXPECT_EQ(ask("EXEC"),
            "*3\r\n*3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n"
            "*2\r\n$4\r\npong\r\n$0\r\n\r\n"
            "*3\r\n$11\r\nunsubscribe\r\n$20\r\n__redis__:invalidate\r\n:0\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionTracking, AnExecThatIsRefusedToWhoListensForgetsWhatWasWatched) {
  ask("SUBSCRIBE __redis__:invalidate");
  EXPECT_EQ(ask("EXEC"),
            "-EXECABORT Transaction discarded because of: Can't execute 'exec': only "
            "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
            "context\r\n");

  ask("UNSUBSCRIBE");
  EXPECT_EQ(ask("EXEC"), "-ERR EXEC without MULTI\r\n");
  for (const char* each : {"WATCH tag:a", "SUBSCRIBE __redis__:invalidate", "EXEC", "UNSUBSCRIBE"})
    ask(each);
  other_asks("SET tag:a new");
  for (const char* each : {"MULTI", "PING"}) ask(each);
  EXPECT_EQ(ask("EXEC"), "*1\r\n+PONG\r\n");
}

TEST_F(SessionTracking, ThereIsOneChannel) {
  EXPECT_THAT(ask("SUBSCRIBE news"), StartsWith("-REFUSED larder passes no messages"));
}

TEST_F(SessionTracking, ClientListTellsHowAClientTracks) {
  track(" BCAST REDIRECT 2");
  other_asks("SUBSCRIBE __redis__:invalidate");

  const std::string list = ask("CLIENT LIST");

  EXPECT_THAT(list, HasSubstr(" flags=tB "));
  EXPECT_THAT(list, HasSubstr(" redir=2 "));
  EXPECT_THAT(list, HasSubstr(" flags=P db=0 sub=1 "));
  EXPECT_THAT(ask("CLIENT LIST TYPE pubsub"), AllOf(HasSubstr("id=2 "), Not(HasSubstr("id=1 "))));
}

// ---- Rights. ----

TEST_F(SessionTracking, NamesOfKeysThatAUserMayNotReadAreNotTold) {
  load("product:1");
  authenticator_->replace(Users::of(
      {User{"default", std::nullopt, Rights{std::vector<Grant>{{Right::kRead, "tag"}}}}}));
  track(" BCAST");

  keyspace_.members()->at(0).cache->invalidate("product:1");
  ASSERT_TRUE(keyspace_.members()->at(1).cache->put("tag:a", "5"));

  EXPECT_EQ(collect(), invalidated("tag:a"));
}

// ---- Bounds. ----

TEST_F(SessionTracking, AClientThatDoesNotTakeWhatItIsToldForgetsAll) {
  track(" BCAST");
  const std::string key(1000, 'k');
  const std::uint64_t before = state_.client_memory();

  for (int i = 0; i < 3000; ++i) other_asks("SET tag:" + std::to_string(i) + key + " 1");

  EXPECT_LE(state_.client_memory(), before + Tracking::kMostNews);
  EXPECT_EQ(collect(), kAll);
}

class SessionTrackingLittle : public SessionTracking {
 protected:
  SessionTrackingLittle() : SessionTracking{{.max_tracking_memory = {8192}}} {}
};

TEST_F(SessionTrackingLittle, KeysThatTheTableHasNoRoomForAreToldAndForgotten) {
  track();
  std::string heard;

  for (int i = 0; i < 200; ++i) {
    ask("GET tag:" + std::to_string(i));
    heard += collect();
  }

  const Tracking::Counts counts = state_.tracking().counts();
  EXPECT_LE(counts.bytes, 8192U);
  EXPECT_GT(counts.keys, 10U);
  EXPECT_EQ(counts.evicted + counts.keys, 200U);
  EXPECT_THAT(heard, HasSubstr("invalidate"));
}

TEST_F(SessionTracking, PrefixesOfAClientAreBounded) {
  std::string line = "CLIENT TRACKING ON BCAST";
  for (int i = 100; i < 229; ++i) line += " PREFIX p" + std::to_string(i);

  EXPECT_EQ(ask(line), "-ERR a client has at most 128 prefixes\r\n");
}

TEST_F(SessionTracking, NobodyWhoTracksCostsTheTableNothing) {
  for (int i = 0; i < 10; ++i) ask("GET tag:" + std::to_string(i));

  EXPECT_EQ(state_.tracking().counts().keys, 0U);
  EXPECT_EQ(state_.tracking().counts().told, 0U);
}

}  // namespace
}  // namespace larder::test
