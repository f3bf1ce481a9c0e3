// Copies and leases among processes over real Memcached servers.
#include <gmock/gmock.h>

#include "shared/pool_process.hpp"

namespace larder::shared {
namespace {

// That no compression makes smaller.
std::string random_text(unsigned size) {
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += static_cast<char>(i * i * 2654435761U >> 13U);
  return text;
}

TEST_F(PoolTierTest, WhatOneLoadsAllHave) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "v");

  const SharedAnswer answer = other.ready().read("1");

  EXPECT_EQ(answer.kind, Kind::kCopy);
  EXPECT_EQ(answer.copy.bytes, "v");
  EXPECT_GT(answer.copy.left, 55s);
  EXPECT_LE(answer.copy.left, 59s) << "Memcached rounds; it says a second more";
  EXPECT_EQ(answer.copy.age + answer.copy.left, 60s);
}

TEST_F(PoolTierTest, ThatThereIsNoRowIsKnownToAll) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer answer = one.ready().read("1");
  one.copies().fill(answer.lease, std::nullopt, 5s, 1ms);

  const SharedAnswer known = other.ready().read("1");

  EXPECT_EQ(known.kind, Kind::kCopy);
  EXPECT_EQ(known.copy.bytes, std::nullopt);
}

TEST_F(PoolTierTest, WhileOneLoadsTheOthersWaitAndGetWhatItFills) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  ASSERT_TRUE(mine.lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();
  EXPECT_FALSE(waiting->done());

  one.copies().fill(mine.lease, "v", 60s, 1ms);

  EXPECT_EQ(waiting->wait().front().copy.bytes, "v");
  EXPECT_EQ(other.tier().stats().leases, 0U);
}

TEST_F(PoolTierTest, ALoadThatFailsIsToldToThoseWhoWait) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.copies().fail(mine.lease, {Errc::kSourceFailed, "no such table"});

  const SharedAnswer told = waiting->wait().front();
  EXPECT_EQ(told.kind, Kind::kFailure);
  EXPECT_EQ(told.error, (Error{Errc::kSourceFailed, "no such table"}));
}

// As while a fleet is upgraded: what the new statement does wrong is not the old one's fault.
TEST_F(PoolTierTest, AFailureOfAnotherStatementIsTakenOver) {
  PoolProcess upgraded{url(), {.failure = 60s}, kFingerprint + 1};
  PoolProcess other{url()};
  upgraded.ready().copies().fail(upgraded.read("1").lease, {Errc::kSourceFailed, "no such column"});
  ASSERT_EQ(upgraded.read("1").kind, Kind::kFailure);

  EXPECT_TRUE(other.ready().read("1").lease);
  EXPECT_EQ(other.tier().stats().stale, 1U);
}

TEST_F(PoolTierTest, AFailureIsForgottenSoon) {
  PoolProcess one{url(), {.failure = 20ms}};
  one.ready().copies().fail(one.read("1").lease, {Errc::kSourceFailed, "no such table"});

  SharedAnswer next = one.read("1");
  while (next.kind == Kind::kFailure) next = one.read("1");

  EXPECT_TRUE(next.lease);
  EXPECT_EQ(server().stat("delete_hits"), 1U) << "it did not end by itself, which it does too";
}

TEST_F(PoolTierTest, OfAHolderThatDiesTheLeaseEndsAndAnotherLoads) {
  auto one = std::make_unique<PoolProcess>(url());
  PoolProcess other{url()};
  ASSERT_TRUE(one->ready().read("1").lease);
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.reset();

  EXPECT_TRUE(waiting->wait().front().lease);
}

TEST_F(PoolTierTest, ALoadLongerThanTheLeaseKeepsIt) {
  PoolProcess one{url(), {.lease = 300ms}};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});
  const auto cas = [&] { return server().ask("mg larder:product:1 c\r\n"); };

  // Each extension makes it another item; a lease of Memcached lives for two seconds at most.
  std::string seen = cas();
  for (int extensions = 0; extensions < 25;) {
    const std::string now = cas();
    ASSERT_THAT(now, ::testing::StartsWith("HD c"));
    if (now != seen) ++extensions;
    seen = now;
  }
  EXPECT_FALSE(waiting->done());
  one.copies().fill(mine.lease, "v", 60s, 1ms);

  EXPECT_EQ(waiting->wait().front().copy.bytes, "v");
}

TEST_F(PoolTierTest, AReleasedLeaseIsTheNextOnes) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  const auto waiting = other.ready().begin({"1"});
  while (other.tier().stats().waits == 0) std::this_thread::yield();

  one.copies().release(mine.lease);

  EXPECT_TRUE(waiting->wait().front().lease);
}

TEST_F(PoolTierTest, OfManyWhoMissAtOnceOneLoads) {
  std::vector<std::unique_ptr<PoolProcess>> all;
  for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<PoolProcess>(url()));
  for (const auto& each : all) each->ready();

  std::vector<std::shared_ptr<Answered>> reads;
  for (const auto& each : all) reads.push_back(each->begin({"1"}));
  const auto settled = [&] {
    std::size_t known = 0;
    for (const auto& each : all) known += each->tier().stats().leases + each->tier().stats().waits;
    return known == all.size();
  };
  while (!settled()) std::this_thread::yield();
  std::size_t loaders = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i]->tier().stats().leases == 0) continue;
    ++loaders;
    all[i]->copies().fill(reads[i]->wait().front().lease, "v", 60s, 1ms);
  }

  EXPECT_EQ(loaders, 1U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const SharedAnswer answer = reads[i]->wait().front();
    EXPECT_TRUE(answer.lease || answer.copy.bytes == "v");
  }
}

TEST_F(PoolTierTest, ManyKeysAreOneRoundTripToEachServer) {
  grow_to(3);
  PoolProcess one{url()};
  PoolProcess other{url()};
  std::vector<std::string> keys;
  wait_for_servers(one, 3);
  for (int i = 0; i < 50; ++i) {
    keys.push_back(std::to_string(i));
    one.load(keys.back(), "v" + keys.back());
  }
  while (one.tier().stats().fills < keys.size()) std::this_thread::yield();
  wait_for_servers(other, 3);

  const auto answers = other.begin(keys)->wait();

  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(answers[i].copy.bytes, "v" + keys[i]);
  std::uint64_t commands = 0;
  for (const auto& each : other.tier().servers()) {
    commands += each->client()->health().commands;
    EXPECT_GT(each->stats().hits, 5U) << "the keys are spread";
  }
  EXPECT_EQ(commands, 3U + 3U + 50U) << "a probe each, a generation each, and the keys";
}

TEST_F(PoolTierTest, KeysThatMemcachedDoesNotTakeAreSharedToo) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const std::vector<std::string> keys{std::string(300, 'k'), std::string(300, 'k') + "2",
                                      "with a space",        "line\r\nflush_all",
                                      "caf\xc3\xa9",         "",
                                      {"nul\0one", 7},       {"nul\0two", 7}};
  for (const std::string& key : keys) one.ready().load(key, "of " + key);
  for (const std::string& key : keys) EXPECT_EQ(other.ready().copy(key), "of " + key);

  for (const std::string& key : keys) one.copies().invalidate(key);
  (void)one.copy("behind them");

  for (const std::string& key : keys) EXPECT_EQ(other.copy(key), std::nullopt);
}

TEST_F(PoolTierTest, AfterAnInvalidationNobodyIsServedTheCopy) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(other.ready().copy("1"), "old");

  one.copies().invalidate("1");

  EXPECT_EQ(one.copy("1"), std::nullopt) << "behind it on the same connection";
  EXPECT_EQ(other.copy("1"), std::nullopt);
}

TEST_F(PoolTierTest, AFillThatAnInvalidationOvertookIsRefused) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer mine = one.ready().read("1");
  other.ready().copies().invalidate("1");
  (void)other.copy("2");  // behind it: the invalidation is done

  one.copies().fill(mine.lease, "old", 60s, 1ms);

  while (one.tier().stats().refused_fills == 0) std::this_thread::yield();
  EXPECT_EQ(one.copy("1"), std::nullopt);
}

TEST_F(PoolTierTest, AfterClearNothingOfTheCacheIsBelieved) {
  grow_to(2);
  PoolProcess one{url()};
  PoolProcess other{url()};
  wait_for_servers(one, 2);
  wait_for_servers(other, 2);
  std::vector<std::string> keys;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(std::to_string(i));
    one.load(keys.back(), "old");
  }
  const SharedAnswer mine = one.read("10");
  while (one.tier().stats().fills < keys.size()) std::this_thread::yield();

  other.copies().clear();
  for (const std::string& key : keys) EXPECT_EQ(other.copy(key), std::nullopt);

  one.copies().fill(mine.lease, "old", 60s, 1ms);
  while (one.tier().stats().fills < keys.size() + 1) std::this_thread::yield();
  EXPECT_EQ(other.copy("10"), std::nullopt) << "its load began before";
}

TEST_F(PoolTierTest, ClearingOneCacheLeavesTheOthers) {
  PoolProcess one{url()};
  one.ready().load("1", "v");

  one.tier().copies("review", kFingerprint)->clear();

  EXPECT_EQ(one.copy("1"), "v");
}

TEST_F(PoolTierTest, AGenerationThatWasEvictedCostsCopiesAndNothingElse) {
  PoolProcess one{url()};
  one.ready().load("1", "v");
  EXPECT_EQ(one.copy("1"), "v");
  server().ask("md larder/product/generation\r\n");

  EXPECT_EQ(one.copy("1"), std::nullopt);
  one.load("2", "v");
  EXPECT_EQ(one.copy("2"), "v");
}

TEST_F(PoolTierTest, ValuesOfAnotherStatementAreMisses) {
  PoolProcess one{url()};
  one.ready().load("1", "v");
  EXPECT_EQ(one.copy("1"), "v");
  PoolProcess changed{url(), {}, kFingerprint + 1};

  EXPECT_TRUE(changed.ready().read("1").lease);
  EXPECT_EQ(changed.tier().stats().stale, 1U);
}

TEST_F(PoolTierTest, DamagedAndForeignValuesAreMissesAndReplaced) {
  PoolProcess one{url()};
  one.ready().load("1", std::string(100, 'v'));
  EXPECT_TRUE(one.copy("1"));
  server().ask("ms larder:product:1 2 T60 MA\r\n!!\r\n");  // appended
  server().ask("ms larder:product:2 5 T60\r\nhello\r\n");
  server().ask("ms larder:product:3 5\r\nhello\r\n");

  for (const char* key : {"1", "2", "3"}) {
    one.load(key, "new");
    EXPECT_EQ(one.copy(key), "new");
  }

  EXPECT_EQ(one.tier().stats().corrupt, 1U);
  EXPECT_EQ(one.tier().stats().foreign, 2U);
}

TEST_F(PoolTierTest, NamespacesAreApart) {
  PoolProcess one{url()};
  PoolProcess other{url(), {.name_space = "staging"}};
  one.ready().load("1", "v");

  EXPECT_EQ(other.ready().copy("1"), std::nullopt);
}

TEST_F(PoolTierTest, WhoWantsItAnewLoadsWhileTheOthersAreServed) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");

  const SharedAnswer anew = one.read("1", true);

  EXPECT_TRUE(anew.lease);
  EXPECT_EQ(other.ready().copy("1"), "old");
  one.copies().fill(anew.lease, "new", 60s, 1ms);
  EXPECT_EQ(one.copy("1"), "new");
}

// Both saw the same copy; whose load is the later nobody can say.
TEST_F(PoolTierTest, OfTwoRefreshesAtOnceNoEarlierOneStays) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  const SharedAnswer first = one.read("1", true);
  const SharedAnswer second = other.ready().read("1", true);
  one.copies().fill(first.lease, "earlier", 60s, 1ms);
  EXPECT_EQ(one.copy("1"), "earlier");

  other.copies().fill(second.lease, "later", 60s, 1ms);
  while (other.tier().stats().refused_fills == 0) std::this_thread::yield();
  other.told().wait();

  EXPECT_EQ(one.copy("1"), std::nullopt);
}

TEST_F(PoolTierTest, ARefreshWhoseValueCannotBeSharedLeavesNoOldCopy) {
  servers_.front() = std::make_unique<MemcachedServer>(std::vector<std::string>{"-I", "512k"});
  PoolProcess one{url()};
  PoolProcess other{url()};
  for (const std::string& key : {"large", "short"}) {
    one.ready().load(key, "old");
    EXPECT_EQ(other.ready().copy(key), "old");
    const SharedAnswer anew = one.read(key, true);

    if (key == "large") {
      one.copies().fill(anew.lease, random_text(600'000), 60s, 1ms);
    } else {
      one.copies().fill(anew.lease, "new", 900ms, 1ms);
    }
    one.told().wait();

    EXPECT_EQ(other.copy(key), std::nullopt) << key;
  }
}

TEST_F(PoolTierTest, WhoWantsItAnewTakesOverFromALoadThatBeganBefore) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer first = one.ready().read("1");
  ASSERT_TRUE(first.lease);

  const SharedAnswer second = other.ready().read("1", true);
  ASSERT_TRUE(second.lease);
  one.copies().fill(first.lease, "earlier", 60s, 1ms);
  while (one.tier().stats().refused_fills == 0) std::this_thread::yield();
  other.copies().fill(second.lease, "later", 60s, 1ms);

  EXPECT_EQ(other.copy("1"), "later");
  EXPECT_EQ(one.copy("1"), "later");
  EXPECT_EQ(other.tier().stats().fills, 1U);
}

TEST_F(PoolTierTest, WhoHasLostTheLeaseToARefreshNeitherFailsNorReleasesIt) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  const SharedAnswer first = one.ready().read("1");
  const SharedAnswer second = other.ready().read("1", true);
  ASSERT_TRUE(second.lease);

  one.copies().release(first.lease);
  one.copies().fail(first.lease, {Errc::kSourceFailed, "no such table"});
  (void)one.copy("2");  // behind what these steps read …
  (void)one.copy("3");  // … and what they would change
  other.copies().fill(second.lease, "later", 60s, 1ms);
  while (other.tier().stats().fills + other.tier().stats().refused_fills == 0) {
    std::this_thread::yield();
  }

  EXPECT_EQ(one.copy("1"), "later");
  EXPECT_EQ(one.tier().stats().failures, 0U);
}

TEST_F(PoolTierTest, ARefreshThatAnInvalidationOvertookIsRefused) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  const SharedAnswer anew = one.read("1", true);
  other.ready().copies().invalidate("1");
  (void)other.copy("2");

  one.copies().fill(anew.lease, "old", 60s, 1ms);

  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

TEST_F(PoolTierTest, WhatLivesForLessThanASecondIsNotShared) {
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("1", "v", 900ms);

  EXPECT_TRUE(other.ready().read("1").lease);
  EXPECT_EQ(one.tier().stats().fills, 0U);
}

TEST_F(PoolTierTest, AValueThatTheServerDoesNotTakeIsNotShared) {
  servers_.front() = std::make_unique<MemcachedServer>(std::vector<std::string>{"-I", "512k"});
  PoolProcess one{url()};
  one.ready().load("1", random_text(600'000));

  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(one.tier().stats().errors, 0U) << "it was not tried";
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

TEST_F(PoolTierTest, AServerWithTinyItemsSharesWhatFits) {
  try {
    servers_.front() = std::make_unique<MemcachedServer>(
        std::vector<std::string>{"-I", "1k", "-o", "slab_chunk_max=512"});
  } catch (const std::runtime_error& error) {
    if (!std::string_view{error.what()}.contains("slab_chunk_max")) throw;
    GTEST_SKIP() << "this memcached takes no items that are all so small: " << error.what();
  }
  PoolProcess one{url()};
  PoolProcess other{url()};
  one.ready().load("small", "v");
  one.load("large", random_text(900));
  one.copies().fail(one.read("broken").lease, {Errc::kSourceFailed, random_text(2'000)});

  EXPECT_EQ(other.ready().copy("small"), "v");
  const SharedAnswer answer = other.read("large");
  EXPECT_TRUE(answer.lease) << "a miss, and nobody waits for it";
  while (one.tier().stats().errors == 0) std::this_thread::yield();  // it is too large as well
  EXPECT_TRUE(other.read("broken").lease) << "and the lease went with it";
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(one.tier().stats().refused_fills, 1U);
}

}  // namespace
}  // namespace larder::shared
