// A Memcached that is not there, dies, hangs, is full, forgets, or was merely out of reach.
#include <gmock/gmock.h>

#include <atomic>
#include <latch>

#include "memcached/scripted_memcached.hpp"
#include "redis/fault_proxy.hpp"
#include "shared/pool_process.hpp"

namespace larder::shared {
namespace {

using test::FaultProxy;
using test::ScriptedMemcached;
using ::testing::HasSubstr;

// Some key that this server of the pool has.
std::string key_of(PoolProcess& process, std::size_t server) {
  for (int i = 0;; ++i) {
    std::string key = std::to_string(i);
    const auto& has = process.tier().server_of(item_of(process.tier(), key));
    if (has == process.tier().servers()[server]) return key;
  }
}

TEST_F(PoolTierTest, WithoutATierReadsGoToTheSourceAtOnce) {
  PoolProcess one{"memcached:///nowhere/memcached.sock"};

  const SharedAnswer answer = one.read("1");

  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
  EXPECT_FALSE(one.tier().trusted());
  EXPECT_THAT(one.tier().trouble(), HasSubstr("/nowhere/memcached.sock"));
}

TEST_F(PoolTierTest, ThoseWhoWaitGoOnWhenTheServerDies) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  ASSERT_TRUE(one.ready().read("1").lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  server().kill();

  EXPECT_EQ(waiting->wait().front().kind, Kind::kLoad);
}

TEST_F(PoolTierTest, ARestartIsSaidOnceEachWay) {
  PoolProcess one{url()};
  one.ready();
  server().kill();
  one.lost();
  server().start();
  one.ready();

  const auto said = one.said();

  ASSERT_EQ(said.size(), 3U);
  EXPECT_THAT(said[0], HasSubstr("is there"));
  EXPECT_THAT(said[1], HasSubstr("go to the source"));
  EXPECT_THAT(said[2], HasSubstr("is there"));
}

TEST_F(PoolTierTest, ADeadServersKeysAreMissesAndNobodyElses) {
  grow_to(3);
  PoolProcess one{url()};
  wait_for_servers(one, 3);
  const std::string lost = key_of(one, 1);
  const std::string kept = key_of(one, 0);
  one.load(lost, "v");
  one.load(kept, "v");
  EXPECT_EQ(one.copy(lost), "v");
  server(1).kill();
  wait_for_servers(one, 2);

  const SharedAnswer answer = one.read(lost);

  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease) << "no other server takes its place";
  EXPECT_EQ(one.copy(kept), "v");
  EXPECT_EQ(server(0).stat("curr_items") + server(2).stat("curr_items"), 2U)
      << "a generation and the other key, which is there still";
}

TEST_F(PoolTierTest, AServerThatWasOutOfReachIsToldBeforeItIsAskedAgain) {
  grow_to(2);
  PoolProcess one{url(), {.timeout = 400ms}};
  PoolProcess other{url()};
  wait_for_servers(one, 2);
  wait_for_servers(other, 2);
  const std::string key = key_of(one, 1);
  one.load(key, "old");
  EXPECT_EQ(other.copy(key), "old");
  server(1).pause();
  one.copies().invalidate(key);
  wait_for_servers(one, 1);
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  EXPECT_EQ(one.copy(key), std::nullopt) << "it is not asked";

  server(1).resume();
  wait_for_servers(one, 2);

  EXPECT_EQ(one.copy(key), std::nullopt);
  EXPECT_EQ(other.copy(key), std::nullopt);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

TEST_F(PoolTierTest, AClearThatOneServerMissedIsToldBeforeItIsAskedAgain) {
  grow_to(2);
  PoolProcess one{url(), {.timeout = 400ms}};
  wait_for_servers(one, 2);
  const std::string key = key_of(one, 1);
  one.load(key, "old");
  EXPECT_EQ(one.copy(key), "old");
  server(1).pause();
  one.copies().clear();
  wait_for_servers(one, 1);

  server(1).resume();
  wait_for_servers(one, 2);

  EXPECT_EQ(one.copy(key), std::nullopt);
}

TEST_F(PoolTierTest, MoreThanCanBeKeptUntoldInvalidatesTheWholeCache) {
  PoolProcess one{url(), {.timeout = 400ms, .most_undelivered = 2}};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  server().pause();
  one.copies().invalidate("5");
  one.lost();
  for (const char* key : {"2", "3", "4"}) one.copies().invalidate(key);
  EXPECT_EQ(one.tier().stats().undelivered, 1U);

  server().resume();

  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

TEST_F(PoolTierTest, AServerThatRestartsEmptyServesNothingOld) {
  PoolProcess one{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  server().kill();
  one.lost();
  one.copies().invalidate("1");
  server().start();

  EXPECT_EQ(one.ready().copy("1"), std::nullopt);
  one.load("1", "new");
  EXPECT_EQ(one.copy("1"), "new");
}

TEST_F(PoolTierTest, ALeaseFromBeforeARestartFillsNothing) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  other.ready();
  server().kill();
  one.lost();
  other.lost();
  server().start();
  const SharedAnswer theirs = other.ready().read("1");
  ASSERT_TRUE(theirs.lease);

  one.ready().copies().fill(mine.lease, "old", 60s, 1ms);

  while (one.tier().stats().refused_fills == 0) std::this_thread::yield();
  other.copies().fill(theirs.lease, "new", 60s, 1ms);
  EXPECT_EQ(one.copy("1"), "new");
}

// CAS counts from 1 in each run of a server, so the numbers of two runs are alike.
TEST_F(PoolTierTest, ARefreshFromBeforeARestartFillsNothing) {
  PoolProcess one{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  const SharedAnswer anew = one.read("1", true);
  ASSERT_TRUE(anew.lease);
  server().kill();
  one.lost();
  server().start();
  one.ready().load("1", "new");
  EXPECT_EQ(one.copy("1"), "new");

  one.copies().fill(anew.lease, "old", 60s, 1ms);
  one.told().wait();

  EXPECT_EQ(one.copy("1"), std::nullopt) << "whose it is, its connection cannot say any more";
  EXPECT_EQ(one.tier().stats().fills, 2U);
}

TEST_F(PoolTierTest, AFlushedServerCostsCopiesAndNothingElse) {
  PoolProcess one{url()};
  one.ready().load("1", "v");
  const SharedAnswer mine = one.read("2");
  server().ask("flush_all\r\n");

  one.copies().fill(mine.lease, "v", 60s, 1ms);
  while (one.tier().stats().refused_fills == 0) std::this_thread::yield();
  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_EQ(one.copy("2"), std::nullopt);
  one.load("1", "new");
  EXPECT_EQ(one.copy("1"), "new");
}

TEST_F(PoolTierTest, AFullServerCostsCopiesAndNothingElse) {
  servers_.front() = std::make_unique<MemcachedServer>(std::vector<std::string>{"-m", "2", "-M"});
  PoolProcess one{url()};
  one.ready();
  const auto kept = [&] { return one.tier().stats().fills; };
  const auto refused = [&] { return one.tier().stats().errors; };
  for (int i = 0; refused() == 0 && i < 2'000; ++i) {
    std::string random;
    for (unsigned j = 0; j < 8'000; ++j) {
      random += static_cast<char>((static_cast<unsigned>(i) * 7'919U + j) * 2654435761U >> 13U);
    }
    one.load(std::to_string(i), random);
    while (refused() == 0 && kept() < static_cast<std::uint64_t>(i) + 1) std::this_thread::yield();
  }
  ASSERT_GE(refused(), 1U) << "it is full";

  EXPECT_EQ(one.copy(std::to_string(kept())), std::nullopt) << "what it did not take";
  EXPECT_TRUE(one.copy("0")) << "what it has";
  one.copies().invalidate("0");
  EXPECT_EQ(one.copy("0"), std::nullopt);
  one.copies().clear();
  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_THAT(one.said(),
              testing::ElementsAre(HasSubstr("is there"), HasSubstr("refuses a command")))
      << "never lost, and said once";
}

TEST_F(PoolTierTest, AFullServerIsClearedAllTheSame) {
  std::atomic<bool> full{false};
  const ScriptedMemcached filled{server(),
                                 [&](std::string_view line) -> std::optional<std::string> {
                                   if (!full || !line.starts_with("ms ")) return std::nullopt;
                                   return "SERVER_ERROR out of memory storing object\r\n";
                                 }};
  PoolProcess one{filled.url()};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");
  full = true;

  one.copies().clear();

  EXPECT_EQ(one.copy("1"), std::nullopt) << "behind it on the same connection";
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  full = false;
  EXPECT_EQ(other.copy("1"), std::nullopt);
  one.load("1", "new");
  EXPECT_EQ(other.copy("1"), "new");
}

// What is on its way behind an invalidation is read before anybody knows that it failed.
TEST_F(PoolTierTest, WhatIsReadBehindAnInvalidationThatFailsIsNotServed) {
  std::atomic<bool> ill{false};
  std::latch read_is_on_its_way{1};
  const ScriptedMemcached refusing{server(),
                                   [&](std::string_view line) -> std::optional<std::string> {
                                     if (!ill || !line.starts_with("md larder:product:1 "))
                                       return std::nullopt;
                                     read_is_on_its_way.wait();
                                     ill = false;
                                     return "SERVER_ERROR out of order\r\n";
                                   }};
  PoolProcess one{refusing.url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");

  ill = true;
  one.copies().invalidate("1");
  const auto reading = one.begin({"1"});
  read_is_on_its_way.count_down();

  const SharedAnswer answer = reading->wait().front();
  EXPECT_EQ(answer.kind, Kind::kLoad);
  EXPECT_FALSE(answer.lease);
  one.ready();
  EXPECT_EQ(one.copy("1"), std::nullopt) << "it was told meanwhile";
}

// What each of these tells is in the server when it is said to be told.
TEST_F(PoolTierTest, WhatIsInvalidatedIsToldOnceTheServerSaysSo) {
  grow_to(2);
  PoolProcess one{url(), {.timeout = 60s}};
  PoolProcess other{url(), {.timeout = 60s}};
  wait_for_servers(one, 2);
  wait_for_servers(other, 2);
  const std::string key = key_of(one, 1);
  const auto begin = [&](const std::string& of) {
    std::promise<SharedMark> mark;
    one.copies().begin_write({of}, 60s, [&](std::vector<SharedMark> marks) {
      mark.set_value(std::move(marks.front()));
    });
    return mark.get_future().get();
  };
  for (const char* const step : {"invalidate", "clear", "finish", "leave"}) {
    one.load(key, "old");
    EXPECT_EQ(other.copy(key), "old") << step;
    const SharedMark mark = *step == 'f' || *step == 'l' ? begin(key) : SharedMark{};
    server(1).pause();
    switch (*step) {
      case 'i': one.copies().invalidate(key); break;
      case 'c': one.copies().clear(); break;
      case 'f': one.copies().finish_write(mark, SharedFill{"new", 60s, 1ms}); break;
      default: one.copies().leave_write(mark, 1s);
    }
    const auto told = one.told();
    EXPECT_EQ(told.wait_for(0s), std::future_status::timeout) << step;

    server(1).resume();
    told.wait();

    if (*step == 'f') {
      EXPECT_EQ(other.copy(key), "new");
      one.copies().invalidate(key);
      one.told().wait();
    } else if (*step != 'l') {
      EXPECT_EQ(other.copy(key), std::nullopt) << step;
    }
  }
}

TEST_F(PoolTierTest, WhoWaitsUntilItIsToldGoesOnWhenItCannotBe) {
  PoolProcess one{url(), {.timeout = 200ms}};
  one.ready();
  server().pause();
  one.copies().invalidate("1");

  one.told().wait();

  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  server().resume();
}

// What a cut network holds arrives later, when the server has moved on.
TEST_F(PoolTierTest, WhatArrivesLateOverAnOldConnectionChangesNothing) {
  FaultProxy network{server().port()};
  PoolProcess one{"memcached://127.0.0.1:" + std::to_string(network.port()), {.timeout = 400ms}};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");
  const SharedAnswer anew = one.read("1", true);
  network.hold(FaultProxy::Direction::kToServer);
  one.copies().fill(anew.lease, "old", 60s, 1ms);  // on its way
  one.lost();
  other.copies().invalidate("1");
  other.load("1", "new");
  EXPECT_EQ(other.copy("1"), "new");

  network.let_go();
  while (server().stat("cas_badval") == 0) std::this_thread::yield();  // it has arrived

  EXPECT_NE(other.copy("1"), "old")
      << "nor the new one, once who does not know of its fill is back";
}

}  // namespace
}  // namespace larder::shared
