// Copies and leases among processes over one real Redis.
#include <gmock/gmock.h>

#include <cstdint>

#include "shared/process.hpp"

namespace larder::shared {
namespace {

TEST_F(RedisTierTest, WhatOneLoadsAllHave) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "v");

  const SharedAnswer answer = other.ready().read("1");

  EXPECT_EQ(answer.kind, Kind::kCopy);
  EXPECT_EQ(answer.copy.bytes, "v");
  EXPECT_GT(answer.copy.left, 0s);
  EXPECT_LE(answer.copy.left, 60s);
  EXPECT_EQ(answer.copy.age + answer.copy.left, 60s);
}

TEST_F(RedisTierTest, ThatThereIsNoRowIsKnownToAll) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer answer = one.ready().read("1");
  one.copies().fill(answer.lease, std::nullopt, 5s, 1ms);

  const SharedAnswer known = other.ready().read("1");

  EXPECT_EQ(known.kind, Kind::kCopy);
  EXPECT_EQ(known.copy.bytes, std::nullopt);
}

TEST_F(RedisTierTest, WhileOneLoadsTheOthersWaitAndGetWhatItFills) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer mine = one.ready().read("1");
  ASSERT_TRUE(mine.lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();
  EXPECT_FALSE(waiting->done());

  one.copies().fill(mine.lease, "v", 60s, 1ms);

  EXPECT_EQ(waiting->wait().front().copy.bytes, "v");
  EXPECT_EQ(other.tier().stats().leases, 0U);
}

TEST_F(RedisTierTest, ALoadThatFailsIsToldToThoseWhoWait) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.copies().fail(mine.lease, {Errc::kSourceFailed, "no such table"});

  const SharedAnswer told = waiting->wait().front();
  EXPECT_EQ(told.kind, Kind::kFailure);
  EXPECT_EQ(told.error, (Error{Errc::kSourceFailed, "no such table"}));
}

// As while a fleet is upgraded: what the new statement does wrong is not the old one's fault.
TEST_F(RedisTierTest, AFailureOfAnotherStatementIsTakenOver) {
  Process upgraded{*server_, {.failure = 60s}, kFingerprint + 1};
  Process other{*server_};
  upgraded.ready().copies().fail(upgraded.read("1").lease, {Errc::kSourceFailed, "no such column"});
  ASSERT_EQ(upgraded.read("1").kind, Kind::kFailure);

  EXPECT_TRUE(other.ready().read("1").lease);
  EXPECT_EQ(other.tier().stats().stale, 1U);
}

TEST_F(RedisTierTest, OfAHolderThatDiesTheLeaseEndsAndAnotherLoads) {
  auto one = std::make_unique<Process>(*server_, RedisTierOptions{.lease = 100ms});
  Process other{*server_, {.lease = 100ms}};
  ASSERT_TRUE(one->ready().read("1").lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.reset();

  EXPECT_TRUE(waiting->wait().front().lease);
}

TEST_F(RedisTierTest, ALoadLongerThanTheLeaseKeepsIt) {
  Process one{*server_, {.lease = 600ms}};
  Process other{*server_, {.lease = 600ms}};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});

  // Four extensions, a third of the lease apart, outlast the lease as it was taken.
  std::int64_t left = server_->ask({"PTTL", mine.lease.key}).integer;
  for (int extensions = 0; extensions < 4;) {
    const std::int64_t now_left = server_->ask({"PTTL", mine.lease.key}).integer;
    ASSERT_GT(now_left, 0) << "the lease ended";
    if (now_left > left) ++extensions;
    left = now_left;
  }
  EXPECT_FALSE(waiting->done());
  one.copies().fill(mine.lease, "v", 60s, 1ms);

  EXPECT_EQ(waiting->wait().front().copy.bytes, "v");
}

TEST_F(RedisTierTest, AReleasedLeaseIsTheNextOnes) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.copies().release(mine.lease);

  EXPECT_TRUE(waiting->wait().front().lease);
}

TEST_F(RedisTierTest, ManyWaitForOne) {
  Process one{*server_};
  const SharedAnswer mine = one.ready().read("1");
  std::vector<std::unique_ptr<Process>> others;
  std::vector<std::shared_ptr<Answered>> waiting;
  for (int i = 0; i < 4; ++i) {
    others.push_back(std::make_unique<Process>(*server_));
    waiting.push_back(others.back()->ready().begin({"1", "2"}));
  }

  one.copies().fill(mine.lease, "v", 60s, 1ms);

  std::size_t leases = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    // Of the second key one of them is the loader, for whom the others wait in turn.
    while (others[i]->tier().stats().hits == 0) std::this_thread::yield();
    leases += others[i]->tier().stats().leases;
  }
  EXPECT_EQ(leases, 1U);
}

TEST_F(RedisTierTest, ManyKeysAreOneRoundTrip) {
  Process one{*server_};
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) {
    keys.push_back(std::to_string(i));
    one.ready().load(keys.back(), "v" + keys.back());
  }
  while (one.tier().stats().fills < keys.size()) std::this_thread::yield();
  Process other{*server_, {.probe = 1h}};
  other.ready();
  const auto before = other.tier().health().commands;

  const auto answers = other.begin(keys)->wait();

  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(answers[i].copy.bytes, "v" + keys[i]);
  EXPECT_EQ(other.tier().health().commands - before, 101U) << "PTTL and GET, and one more";
}

TEST_F(RedisTierTest, AProbeThatDoesNotFitIsTriedAgain) {
  constexpr std::uint64_t kOfARead = 7;  // of three keys: all that may be on its way
  Process one{*server_, {.timeout = 60s, .probe = 10ms, .most_commands = kOfARead}};
  one.ready();
  for (const std::string key : {"1", "2", "3"}) one.load(key, "v");
  std::shared_ptr<Answered> reading;
  for (;;) {
    server_->pause();
    reading = one.begin({"1", "2", "3"});
    if (one.tier().health().waiting == kOfARead) break;
    server_->resume();  // a probe was quicker
    (void)reading->wait();
  }
  one.let_pass(10ms);  // by the same timers, so the probe was due
  const auto before = one.tier().health().commands;

  server_->resume();

  EXPECT_EQ(reading->wait().front().copy.bytes, "v");
  while (one.tier().health().commands == before) std::this_thread::yield();
  EXPECT_TRUE(one.tier().trusted());
}

TEST_F(RedisTierTest, AfterAnInvalidationNobodyIsServedTheCopy) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");

  one.copies().invalidate("1");

  EXPECT_EQ(one.copy("1"), std::nullopt) << "behind it on the same connection";
  EXPECT_EQ(other.copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, AFillThatAnInvalidationOvertookIsRefused) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer mine = one.ready().read("1");
  other.ready().copies().invalidate("1");
  (void)other.copy("2");  // behind it: the invalidation is done

  one.copies().fill(mine.lease, "old", 60s, 1ms);

  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

TEST_F(RedisTierTest, AfterClearNothingOfTheCacheIsBelieved) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  const SharedAnswer mine = one.read("2");

  other.ready().copies().clear();
  EXPECT_EQ(other.copy("1"), std::nullopt);

  one.copies().fill(mine.lease, "old", 60s, 1ms);
  EXPECT_EQ(other.copy("2"), std::nullopt) << "its load began before";
}

TEST_F(RedisTierTest, ClearingOneCacheLeavesTheOthers) {
  Process one{*server_};
  one.ready().load("1", "v");

  one.tier().copies("review", kFingerprint)->clear();

  EXPECT_EQ(one.copy("1"), "v");
}

TEST_F(RedisTierTest, ValuesOfAnotherStatementAreMisses) {
  Process one{*server_};
  one.ready().load("1", "v");
  EXPECT_EQ(one.copy("1"), "v");
  Process changed{*server_, {}, kFingerprint + 1};

  EXPECT_TRUE(changed.ready().read("1").lease);
  EXPECT_EQ(changed.tier().stats().stale, 1U);
}

TEST_F(RedisTierTest, DamagedValuesAreMissesAndReplaced) {
  Process one{*server_};
  one.ready().load("1", std::string(100, 'v'));
  EXPECT_TRUE(one.copy("1"));
  server_->ask({"SETRANGE", "larder:product:1", "80", "x"});

  one.load("1", "new");

  EXPECT_EQ(one.tier().stats().corrupt, 1U);
  EXPECT_EQ(one.copy("1"), "new");
}

TEST_F(RedisTierTest, OtherProgramsKeysAreMisses) {
  server_->ask({"SET", "larder:product:1", "hello"});
  server_->ask({"LPUSH", "larder:product:2", "a list"});
  Process one{*server_};

  EXPECT_TRUE(one.ready().read("1").lease);
  EXPECT_EQ(one.tier().stats().foreign, 1U);
  const SharedAnswer answer = one.read("2");
  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
}

TEST_F(RedisTierTest, NamespacesAreApart) {
  Process one{*server_};
  Process other{*server_, {.name_space = "staging"}};
  one.ready().load("1", "v");

  EXPECT_EQ(other.ready().copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, WhoWantsItAnewLoadsWhileTheOthersAreServed) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");

  const SharedAnswer anew = one.read("1", true);

  EXPECT_TRUE(anew.lease);
  EXPECT_EQ(other.ready().copy("1"), "old");
  one.copies().fill(anew.lease, "new", 60s, 1ms);
  EXPECT_EQ(one.copy("1"), "new");
}

// What the first of them loads may be from before the second asked.
TEST_F(RedisTierTest, OfTwoWhoWantItAnewBothLoadAndTheLaterOneFills) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");

  const SharedAnswer first = one.read("1", true);
  const SharedAnswer second = other.read("1", true);
  other.copies().fill(second.lease, "later", 60s, 1ms);
  EXPECT_EQ(other.copy("1"), "later");
  one.copies().fill(first.lease, "earlier", 60s, 1ms);

  EXPECT_EQ(one.copy("1"), "later");
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

TEST_F(RedisTierTest, ARefreshThatAFullServerRefusesLeavesNoOldCopy) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");
  const SharedAnswer anew = one.read("1", true);
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  one.copies().fill(anew.lease, "new", 60s, 1ms);
  while (one.tier().stats().errors == 0) std::this_thread::yield();
  one.told().wait();

  EXPECT_EQ(other.copy("1"), std::nullopt);
}

TEST_F(RedisTierTest, WhoWantsItAnewTakesOverFromALoadThatBeganBefore) {
  Process one{*server_};
  Process other{*server_};
  const SharedAnswer first = one.ready().read("1");
  ASSERT_TRUE(first.lease);

  const SharedAnswer second = other.ready().read("1", true);
  ASSERT_TRUE(second.lease);
  other.copies().fill(second.lease, "later", 60s, 1ms);
  EXPECT_EQ(other.copy("1"), "later");
  one.copies().fill(first.lease, "earlier", 60s, 1ms);

  EXPECT_EQ(one.copy("1"), "later");
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

TEST_F(RedisTierTest, ItNeedsNoMoreRightsThanItsPageSays) {
  server_->ask({"ACL",
                "SETUSER",
                "app",
                "on",
                ">secret",
                "resetkeys",
                "~larder:*",
                "~larder/*",
                "-@all",
                "+hello",
                "+info",
                "+select",
                "+client|tracking",
                "+client|caching",
                "+client|setname",
                "+get",
                "+set",
                "+pttl",
                "+getrange",
                "+setrange",
                "+append",
                "+del",
                "+pexpire",
                "+time",
                "+eval",
                "+evalsha",
                "+xadd",
                "+xread",
                "+xrange"});
  const std::string url = "redis://app:secret@127.0.0.1:" + std::to_string(server_->port());
  Process one{url};
  Process other{url};

  one.ready().load("1", "v");
  EXPECT_EQ(other.ready().copy("1"), "v");
  const auto heard = other.listen();
  one.copies().invalidate("1");
  one.copies().clear();

  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_EQ(heard->word(1), "1");
  EXPECT_EQ(heard->word(2), "*");
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(one.tier().stats().errors, 0U);
}

}  // namespace
}  // namespace larder::shared
