// A Redis that is not there, dies, hangs, is full, forgets, or comes back with the past.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "shared/process.hpp"

namespace larder::shared {
namespace {

TEST_F(RedisTierTest, WithoutATierReadsGoToTheSourceAtOnce) {
  Process one{"unix:///nowhere/redis.sock"};

  const SharedAnswer answer = one.read("1");

  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
}

TEST_F(RedisTierTest, ThoseWhoWaitGoOnWhenTheTierDies) {
  Process one{*server_};
  Process other{*server_};
  ASSERT_TRUE(one.ready().read("1").lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  server_->kill();

  EXPECT_EQ(waiting->wait().front().kind, Kind::kLoad);
}

TEST_F(RedisTierTest, ARestartIsSaidOnceEachWay) {
  Process one{*server_};
  one.ready();
  server_->kill();
  one.lost();
  server_->start();
  one.ready();

  const auto said = one.said();

  ASSERT_EQ(said.size(), 3U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("is there"));
  EXPECT_THAT(said[1], ::testing::HasSubstr("reads go to the source"));
  EXPECT_THAT(said[2], ::testing::HasSubstr("is there"));
}

TEST_F(RedisTierTest, WhatAnRdbFileBringsBackIsNotServed) {
  Process one{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  server_->ask({"SAVE"});
  one.copies().invalidate("1");
  EXPECT_EQ(one.copy("1"), std::nullopt);
  server_->kill();
  one.lost();
  server_->start();
  ASSERT_EQ(server_->ask({"EXISTS", "larder:product:1"}).integer, 1);

  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, ALeaseOfAnotherRunFillsNothing) {
  Process one{*server_};
  const SharedAnswer mine = one.ready().read("1");
  server_->ask({"SAVE"});  // with the lease
  server_->kill();
  one.lost();
  server_->start();
  one.ready();

  one.copies().fill(mine.lease, "old", 60s, 1ms);

  EXPECT_EQ(server_->ask({"GETRANGE", "larder:product:1", "0", "0"}).text, "L");
}

TEST_F(RedisTierTest, AnInvalidationThatCouldNotBeToldIsToldBeforeItIsAskedAgain) {
  Process one{*server_, {.timeout = 50ms}};
  Process other{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");
  server_->pause();
  one.copies().invalidate("1");
  one.lost();
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  EXPECT_EQ(one.copy("1"), std::nullopt) << "it is not asked";

  server_->resume();

  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(other.copy("1"), std::nullopt);
}

// Its reply and that of the read come one behind the other.
TEST_F(RedisTierTest, AReadBehindAnInvalidationThatIsRefusedIsNotServedTheCopy) {
  server_->ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"});
  Process one{"redis://app:secret@127.0.0.1:" + std::to_string(server_->port())};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  server_->ask({"ACL", "SETUSER", "app", "-del"});

  one.copies().invalidate("1");
  const SharedAnswer answer = one.read("1");

  EXPECT_EQ(answer.kind, Kind::kLoad);
  server_->ask({"ACL", "SETUSER", "app", "+del"});
  while (!one.tier().trusted()) std::this_thread::yield();
  EXPECT_EQ(one.copy("1"), std::nullopt);
}

// The connections whose commands Redis holds back, by their numbers.
std::set<std::string> held_back(RedisServer& server) {
  std::set<std::string> numbers;
  std::istringstream lines{server.ask({"CLIENT", "LIST"}).text};
  for (std::string line; std::getline(lines, line);) {
    if (line.contains(" flags=b")) numbers.insert(line.substr(0, line.find(' ')));
  }
  return numbers;
}

TEST_F(RedisTierTest, WhatIsBeingToldIsUntoldUntilItIs) {
  Process one{*server_, {.timeout = 50ms}};
  one.ready();
  server_->ask({"CLIENT", "PAUSE", "600000", "WRITE"});  // others answer
  one.copies().invalidate("1");
  std::set<std::string> first;
  while (first.empty()) first = held_back(*server_);
  one.lost();

  bool again = false;  // on a connection made anew
  while (!again) {
    again = std::ranges::any_of(held_back(*server_),
                                [&](const std::string& number) { return !first.contains(number); });
  }
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  server_->ask({"CLIENT", "UNPAUSE"});

  one.ready();
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

// What each of these tells is in the server when it is said to be told.
TEST_F(RedisTierTest, WhatIsInvalidatedIsToldOnceTheServerSaysSo) {
  Process one{*server_, {.timeout = 60s}};
  Process other{*server_, {.timeout = 60s}};
  for (const bool all : {false, true}) {
    one.ready().load("1", "old");
    EXPECT_EQ(other.ready().copy("1"), "old");
    server_->ask({"CLIENT", "PAUSE", "600000", "WRITE"});
    if (all) {
      one.copies().clear();
    } else {
      one.copies().invalidate("1");
    }
    const auto told = one.told();
    while (held_back(*server_).size() <= 2) std::this_thread::yield();  // of whom two hear
    EXPECT_EQ(told.wait_for(0s), std::future_status::timeout);

    server_->ask({"CLIENT", "UNPAUSE"});
    told.wait();

    EXPECT_EQ(other.copy("1"), std::nullopt);
  }
}

TEST_F(RedisTierTest, WhoWaitsUntilItIsToldGoesOnWhenItCannotBe) {
  Process one{*server_};
  one.ready();
  server_->pause();
  one.copies().invalidate("1");

  one.told().wait();

  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  one.told().wait();  // at once
  server_->resume();
}

TEST_F(RedisTierTest, WhoWaitsUntilItIsToldGoesOnWhenTheTierEnds) {
  Process one{*server_, {.timeout = 60s}};
  one.ready();
  server_->pause();
  one.copies().invalidate("1");
  const auto told = one.told();

  one.tier().close();

  told.wait();
  server_->resume();
}

TEST_F(RedisTierTest, MoreThanCanBeKeptUntoldInvalidatesTheWholeCache) {
  Process one{*server_, {.timeout = 50ms, .most_undelivered = 2}};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  server_->kill();
  one.lost();
  for (const char* key : {"2", "3", "4"}) one.copies().invalidate(key);

  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  server_->start();
  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

TEST_F(RedisTierTest, AUserWithoutTheRightToRunScriptsIsNotTrusted) {
  server_->ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-eval"});

  Process one{"redis://app:secret@127.0.0.1:" + std::to_string(server_->port())};
  while (one.said().empty()) std::this_thread::yield();

  EXPECT_THAT(one.said().front(), ::testing::HasSubstr("NOPERM"));
  EXPECT_EQ(one.read("1").kind, Kind::kLoad);
}

TEST_F(RedisTierTest, AFullServerCostsCopiesAndNothingElse) {
  Process one{*server_};
  one.ready().load("1", "v");
  EXPECT_EQ(one.copy("1"), "v");
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  const SharedAnswer answer = one.read("2");
  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
  EXPECT_EQ(one.copy("1"), "v");
  one.copies().invalidate("1");
  EXPECT_EQ(one.copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, WhatAServerRefusesIsToldOnce) {
  Process one{*server_};
  (void)one.listen();  // a full server refuses its hello, too
  one.ready().load("1", "v");
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  for (int key = 2; key < 12; ++key) EXPECT_FALSE(one.read(std::to_string(key)).lease);

  ASSERT_EQ(one.said().size(), 2U);
  EXPECT_THAT(one.said().back(), ::testing::HasSubstr("refuses a command: OOM"));
  EXPECT_GE(one.tier().stats().errors, 10U);
}

TEST_F(RedisTierTest, AFullServerIsClearedAllTheSame) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  other.ready();
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  one.copies().clear();

  (void)one.read("2");  // behind it
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(other.copy("1"), std::nullopt);
  server_->ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(other.copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, AServerThatIsStillLoadingIsNotAskedUntilItHasLoaded) {
  // It takes half a millisecond for each key, and answers now and then meanwhile.
  server_.emplace(std::vector<std::string>{"--key-load-delay", "500",
                                           "--loading-process-events-interval-bytes", "1024"});
  Process one{*server_};
  one.ready().load("1", "old");
  ASSERT_EQ(
      server_->ask({"EVAL", "for i = 1, 6000 do redis.call('SET', 'k' .. i, i) end", "0"}).kind,
      resp::Reply::Kind::kNull);
  server_->ask({"SAVE"});
  server_->kill();
  one.lost();
  server_->start();
  // Why it is not asked is said once; here it is looked at while it loads.
  while (!one.tier().trouble().contains("LOADING")) std::this_thread::yield();

  const SharedAnswer answer = one.read("1");

  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(one.said().size(), 3U) << "there, lost, there";
}

TEST_F(RedisTierTest, AMasterThatIsMadeAReplicaIsLeftUntilItIsAMasterAgain) {
  RedisServer other;
  Process one{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");  // a fill that is refused has it lost before the rest is known
  server_->ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  one.copies().invalidate("1");
  one.lost();

  EXPECT_EQ(one.read("1").kind, Kind::kLoad);
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  server_->ask({"REPLICAOF", "NO", "ONE"});

  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  EXPECT_EQ(one.said().size(), 3U) << "there, lost, there";
}

// What it has cannot be invalidated by anybody.
TEST_F(RedisTierTest, AServerThatTakesNoWritesIsLeftByWhoeverIsRefusedOne) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");
  server_->ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  one.copies().invalidate("1");

  EXPECT_EQ(other.read("2").kind, Kind::kLoad);

  EXPECT_EQ(other.copy("1"), std::nullopt);
  EXPECT_THAT(other.said().back(), ::testing::HasSubstr("NOREPLICAS"));
  server_->ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  while (!one.tier().trusted() || !other.tier().trusted()) std::this_thread::yield();
  EXPECT_EQ(other.copy("1"), std::nullopt);
}

// And by who asks it nothing but for what it has, or does not ask it at all.
TEST_F(RedisTierTest, AServerThatTakesNoWritesIsNoticedAndMemoryBelievedNoMore) {
  Process one{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  const auto heard = one.listen();
  const auto vouch = one.copies().vouch();
  while (vouch->longest() < 1h) std::this_thread::yield();
  server_->ask({"CONFIG", "SET", "min-replicas-to-write", "1"});

  EXPECT_EQ(heard->word(), "*");

  EXPECT_FALSE(one.tier().trusted());
  EXPECT_EQ(vouch->longest(), Hearing::kBound);
  server_->ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  while (vouch->longest() < 1h) std::this_thread::yield();
  EXPECT_EQ(one.ready().copy("1"), "old") << "nobody has invalidated it";
}

TEST_F(RedisTierTest, APasswordThatIsWantedSuddenlyIsSaidOnce) {
  Process one{*server_};
  one.ready();
  server_->ask({"CONFIG", "SET", "requirepass", "secret"});
  const auto attempts = [&] { return one.tier().stats().connections; };
  const auto before = attempts();
  test::Peer killer = test::Peer::to_socket(server_->socket());
  killer.ask(test::Words{"AUTH", "secret"});
  killer.ask({"CLIENT", "KILL", "TYPE", "normal"});
  one.lost();
  while (one.said().size() < 3) std::this_thread::yield();

  EXPECT_THAT(one.said()[2], ::testing::HasSubstr("wants a login"));
  EXPECT_EQ(one.read("1").kind, Kind::kLoad);
  EXPECT_EQ(attempts(), before);
  killer.ask({"CONFIG", "SET", "requirepass", ""});
  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(one.said().size(), 4U) << "there, lost, why it stays away, there";
}

TEST_F(RedisTierTest, AServerThatForgetsEverythingCostsCopiesAndNothingElse) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "v");
  other.ready();
  EXPECT_EQ(other.copy("1"), "v");

  // As eviction at once does: leases too, and without a word to those who hold them.
  const SharedAnswer mine = one.read("2");
  ASSERT_TRUE(mine.lease);
  server_->ask({"FLUSHDB"});
  one.copies().fill(mine.lease, "late", 60s, 1ms);

  EXPECT_EQ(other.copy("2"), std::nullopt) << "its lease is gone";
  EXPECT_EQ(other.copy("1"), std::nullopt);
  EXPECT_TRUE(one.tier().trusted());
  other.load("1", "new");
  EXPECT_EQ(one.copy("1"), "new");
}

TEST_F(RedisTierTest, ClosingSendsThoseWhoWaitToTheSource) {
  Process one{*server_};
  Process other{*server_};
  ASSERT_TRUE(one.ready().read("1").lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  other.tier().close();

  EXPECT_EQ(waiting->wait().front().kind, Kind::kLoad);
}

}  // namespace
}  // namespace larder::shared
