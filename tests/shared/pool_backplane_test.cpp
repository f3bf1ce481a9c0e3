// Memcached servers with a Redis beside them, through which processes tell each other's memory what
// they invalidate and write.
#include <gmock/gmock.h>

#include <algorithm>

#include "larder/cache.hpp"
#include "shared/pool_process.hpp"

namespace larder::shared {
namespace {

class PoolBackplane : public PoolTierTest {
 protected:
  void SetUp() override {
    PoolTierTest::SetUp();
    if (IsSkipped()) return;
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
  }

  [[nodiscard]] PoolOptions with(const std::string& backplane) const {
    return {.backplane = redis::parse_redis_url(backplane).value()};
  }
  [[nodiscard]] PoolOptions with_backplane() const { return with(redis_->url()); }

  static void wait_until_vouched(SharedCopies& copies) {
    while (copies.vouch()->longest() < 1h) std::this_thread::yield();
  }
  static PoolProcess& ready(PoolProcess& process) {
    wait_for_servers(process, process.tier().servers().size());
    wait_until_vouched(process.copies());
    return process;
  }
  // Waits until it was told of that key so often; it may be told of all besides.
  static void wait_to_hear(Heard& heard, const std::string& key, int times) {
    for (std::size_t i = 1; times > 0; ++i) times -= heard.word(i) == key ? 1 : 0;
  }
  // Its announcements of that key, or of whole caches.
  [[nodiscard]] std::size_t announced(const std::string& key) const {
    std::size_t count = 0;
    for (const resp::Reply& entry :
         redis_->ask({"XRANGE", "larder/announcements", "-", "+"}).items) {
      const auto& fields = entry.items[1].items;
      count += std::ranges::count(fields, key, &resp::Reply::text) > 0 ? 1 : 0;
    }
    return count;
  }

  std::optional<RedisServer> redis_;
};

TEST_F(PoolBackplane, WhatOneInvalidatesTheOthersHear) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  const auto own = ready(one).listen();
  const std::string odd = "as Memcached takes no key" + std::string(300, '.');

  one.copies().invalidate("1");
  EXPECT_EQ(heard->word(1), "1");
  one.copies().clear();
  EXPECT_EQ(heard->word(2), "*");
  one.copies().invalidate(odd);
  EXPECT_EQ(heard->word(3), odd);

  EXPECT_EQ(own->size(), 0U);
  EXPECT_EQ(other.tier().stats().heard, 3U);
  EXPECT_EQ(other.tier().stats().gaps, 1U) << "the start";
}

// Others' memory may have what a refresh replaces; what any other load fills, it cannot have.
TEST_F(PoolBackplane, WhatARefreshHasFilledIsHeard) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  ready(one).load("1", "old");
  EXPECT_EQ(one.copy("1"), "old");
  const SharedAnswer replaces = one.read("1", true);
  one.copies().fill(replaces.lease, "new", 60s, 1ms);
  EXPECT_EQ(heard->word(1), "1");
  EXPECT_EQ(other.copy("1"), "new");

  const SharedAnswer first = one.read("2", true);
  one.copies().fill(first.lease, "new", 60s, 1ms);

  EXPECT_EQ(heard->word(2), "2");
  EXPECT_EQ(other.copy("2"), "new");
  EXPECT_EQ(heard->size(), 2U) << "of the load none";
}

TEST_F(PoolBackplane, ARefreshThatCannotFillIsHeardToo) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  const SharedAnswer first = ready(one).read("1", true);
  ASSERT_TRUE(first.lease);
  server().kill();
  one.lost();

  one.copies().fill(first.lease, "new", 60s, 1ms);

  wait_to_hear(*heard, "1", 1);
}

TEST_F(PoolBackplane, WithoutOneNobodyIsToldAndNobodyVouches) {
  PoolProcess one{url()};

  EXPECT_EQ(one.copies().vouch(), nullptr);
  EXPECT_EQ(one.tier().stats().gaps, 0U);
}

TEST_F(PoolBackplane, AWriteIsHeardWithItsMarkAndWithItsEnd) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  ready(one);
  for (const std::string key : {"1", "with blanks in it"}) {
    const std::size_t before = heard->size();
    std::promise<SharedMark> marked;
    one.copies().begin_write({key}, 60s, [&](std::vector<SharedMark> marks) {
      marked.set_value(std::move(marks.front()));
    });
    const SharedMark mark = marked.get_future().get();
    ASSERT_TRUE(mark);
    EXPECT_EQ(heard->word(before + 1), key);
    EXPECT_TRUE(other.read(key).written);

    one.copies().finish_write(mark, SharedFill{.bytes = "row", .lifetime = 60s});

    EXPECT_EQ(heard->word(before + 2), key);
  }
}

TEST_F(PoolBackplane, AWriteOfUnknownOutcomeIsHeard) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  ready(one);
  std::promise<SharedMark> marked;
  one.copies().begin_write({"1"}, 60s, [&](std::vector<SharedMark> marks) {
    marked.set_value(std::move(marks.front()));
  });
  const SharedMark mark = marked.get_future().get();
  EXPECT_EQ(heard->word(1), "1");

  one.copies().leave_write(mark, 60s);

  EXPECT_EQ(heard->word(2), "1");
}

TEST_F(PoolBackplane, WhoWaitsUntilOthersAreToldWaitsForTheAnnouncement) {
  PoolProcess one{url(), with_backplane()};
  ready(one);
  std::promise<std::size_t> told;
  server().pause();

  one.copies().invalidate("1");
  one.copies().once_told([&] { told.set_value(announced("1")); });
  server().resume();

  EXPECT_EQ(told.get_future().get(), 1U);
}

// Heard before, the other would read the old copy again.
TEST_F(PoolBackplane, NothingIsHeardBeforeMemcachedRefusesTheOldCopy) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  const auto reviews = std::make_shared<Heard>();
  other.tier().backplane()->copies("review", 0)->listen(reviews);
  ready(one);

  server().pause();
  one.copies().invalidate("1");
  one.copies().clear();
  // Behind whatever has been announced until now, on the same connection.
  one.tier().backplane()->copies("review", 0)->invalidate("2");
  EXPECT_EQ(reviews->word(), "2");
  EXPECT_EQ(heard->size(), 0U);

  server().resume();
  EXPECT_EQ(heard->word(1), "1");
  EXPECT_EQ(heard->word(2), "*");
}

// It may be gone for all, and then memory is all that the others have of it; or for this process
// alone, and then they may read the old copy until it has been told.
TEST_F(PoolBackplane, WhatMemcachedCannotBeToldIsHeardAtOnceAndOnceMoreWhenItWas) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  ready(one);
  server().kill();
  wait_for_servers(one, 0);

  one.copies().invalidate("1");
  wait_to_hear(*heard, "1", 1);
  EXPECT_EQ(one.tier().stats().undelivered, 1U) << "to Memcached";

  server().start();
  wait_to_hear(*heard, "1", 2);
  wait_for_servers(one, 1);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

// Who does not ask a server does not see that its keys are being written.
TEST_F(PoolBackplane, WithoutAServerMemoryIsBelievedForABoundAlone) {
  grow_to(2);
  PoolProcess one{url(), with_backplane()};
  const auto heard = ready(one).listen();

  server(1).kill();
  EXPECT_EQ(heard->word(1), "*");
  EXPECT_EQ(one.copies().vouch()->longest(), Hearing::kBound);

  server(1).start();
  ready(one);
}

TEST_F(PoolBackplane, WithoutRedisMemoryIsBelievedForABoundAloneWhichIsSaidOnce) {
  PoolProcess one{url(), with_backplane()};
  const auto heard = ready(one).listen();

  redis_->kill();
  EXPECT_EQ(heard->word(1), "*");
  EXPECT_EQ(one.copies().vouch()->longest(), Hearing::kBound);
  EXPECT_TRUE(one.tier().trusted()) << "Memcached is there";
  one.copies().invalidate("1");
  while (one.tier().stats().undelivered != 1) std::this_thread::yield();

  redis_->start();
  wait_until_vouched(one.copies());
  EXPECT_EQ(announced("1"), 1U) << "before it vouched";
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  EXPECT_EQ(one.times_said("the backplane: "), 3U);
  EXPECT_EQ(one.times_said("memory is believed for 1000 ms only until it is there again"), 1U);
}

TEST_F(PoolBackplane, ARedisThatHangsIsLeftAndHeardAgain) {
  PoolProcess one{url(), with_backplane()};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(one).listen();
  ready(other);

  redis_->pause();
  EXPECT_EQ(heard->word(1), "*");
  other.copies().invalidate("1");

  redis_->resume();
  while (heard->word(heard->size()) != "1") std::this_thread::yield();
  wait_until_vouched(one.copies());
}

// It hears, but what it invalidates nobody would.
TEST_F(PoolBackplane, WhoCannotAnnounceDoesNotVouchUntilItHas) {
  redis_->ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"});
  const std::string app = "redis://app:secret@127.0.0.1:" + std::to_string(redis_->port());
  PoolProcess one{url(), with(app)};
  PoolProcess other{url(), with_backplane()};
  const auto heard = ready(other).listen();
  ready(one);

  redis_->ask({"ACL", "SETUSER", "app", "-eval"});
  one.copies().invalidate("1");
  one.wait_to_say("the backplane: it refuses a command: NOPERM");
  while (one.copies().vouch()->longest() > Hearing::kBound) std::this_thread::yield();
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  EXPECT_EQ(announced("1"), 0U);

  redis_->ask({"ACL", "SETUSER", "app", "+eval"});
  wait_until_vouched(one.copies());
  EXPECT_EQ(heard->word(1), "1");
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

TEST_F(PoolBackplane, OfTooMuchThatCouldNotBeAnnouncedWholeCachesAre) {
  PoolOptions options = with_backplane();
  options.most_undelivered = 2;
  PoolProcess one{url(), options};
  ready(one);
  redis_->kill();
  while (one.copies().vouch()->longest() > Hearing::kBound) std::this_thread::yield();
  for (const char* key : {"1", "2", "3"}) one.copies().invalidate(key);
  // One cache in the place of three keys, once Memcached has confirmed them.
  while (one.tier().backplane()->stats().undelivered != 1) std::this_thread::yield();

  redis_->start();
  wait_until_vouched(one.copies());
  EXPECT_EQ(announced("product"), 1U);
  EXPECT_EQ(announced("3"), 0U);
}

TEST_F(PoolBackplane, ARestartedRedisMayHaveLostAnnouncements) {
  PoolProcess one{url(), with_backplane()};
  const auto heard = ready(one).listen();
  redis_->kill();
  redis_->start();

  EXPECT_EQ(heard->word(), "*");
}

// ---- With memory. ----

// A process: a tier and a cache of its own, whose memory may keep for a minute.
class Shop {
 public:
  Shop(const std::string& url, PoolOptions options, std::atomic<int>& version)
      : version_{version},
        tier_{[&] {
          set_url(options, url);
          return PoolTier::start(runtime_, std::move(options)).value();
        }()},
        cache_{runtime_,
               {.source = [this](const std::string&) { return std::to_string(version_); },
                .writer =
                    [this](const std::string&, const std::string& row) {
                      version_ = std::stoi(row);
                      return row;
                    },
                .jitter = 0,
                .shared = tier_->copies("product", 1),
                .memory_ttl = 60s}} {}

  std::string get(const std::string& key) { return *cache_.get(key); }
  Origin origin(const std::string& key) { return cache_.get(key).origin(); }
  void put(const std::string& key, const std::string& row) { ASSERT_TRUE(cache_.put(key, row)); }
  void invalidate(const std::string& key) { cache_.invalidate(key); }
  PoolTier& tier() { return *tier_; }
  Vouch& vouch() { return *cache_.vouch(); }

  Shop& ready() {
    while (!tier_->trusted() || vouch().longest() < 1h) std::this_thread::yield();
    return *this;
  }

 private:
  std::atomic<int>& version_;
  Runtime runtime_{{.io_threads = 1, .blocking_threads = 2}};
  std::shared_ptr<PoolTier> tier_;
  Cache<std::string, std::string> cache_;
};

class PoolBackplaneMemory : public PoolBackplane {
 protected:
  void SetUp() override {
    PoolBackplane::SetUp();
    if (IsSkipped()) return;
    one_.emplace(url(), with_backplane(), version_);
    other_.emplace(url(), with_backplane(), version_);
    one_->ready();
    other_->ready();
  }
  // The other has it in memory, for longer than the test.
  void other_knows(const std::string& key) {
    while (other_->origin(key) != Origin::kMemory) std::this_thread::yield();
  }
  // Until the other sees it, which only the backplane brings about.
  void other_sees(const std::string& key, const std::string& value) {
    while (other_->get(key) != value) std::this_thread::yield();
  }

  std::atomic<int> version_{1};
  std::optional<Shop> one_;
  std::optional<Shop> other_;
};

TEST_F(PoolBackplaneMemory, AnInvalidationInOneReachesTheMemoryOfTheOther) {
  other_knows("1");
  const std::uint64_t hits = other_->tier().stats().hits;
  EXPECT_EQ(other_->get("1"), "1");
  EXPECT_EQ(other_->tier().stats().hits, hits) << "memory answers";

  version_ = 2;
  one_->invalidate("1");

  EXPECT_EQ(one_->get("1"), "2");
  other_sees("1", "2");
}

TEST_F(PoolBackplaneMemory, AWriteInOneReachesTheMemoryOfTheOther) {
  other_knows("1");

  one_->put("1", "2");

  EXPECT_EQ(one_->get("1"), "2");
  other_sees("1", "2");
}

TEST_F(PoolBackplaneMemory, WithoutRedisMemoryDropsWhatItHasAndMemcachedAnswers) {
  other_knows("1");
  const std::uint64_t gaps = other_->tier().stats().gaps;

  redis_->kill();
  while (other_->tier().stats().gaps == gaps) std::this_thread::yield();

  EXPECT_EQ(other_->origin("1"), Origin::kShared);
  EXPECT_EQ(other_->vouch().longest(), Hearing::kBound);
  version_ = 2;
  one_->invalidate("1");
  EXPECT_EQ(one_->get("1"), "2");
  other_sees("1", "2");  // though nobody tells it

  redis_->start();
  one_->ready();
  other_->ready();
  other_knows("1");
  version_ = 3;
  one_->invalidate("1");
  other_sees("1", "3");
}

}  // namespace
}  // namespace larder::shared
