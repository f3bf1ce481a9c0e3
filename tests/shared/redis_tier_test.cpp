// Two or more tiers over one real Redis stand for as many processes.
#include "shared/redis_tier.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "larder/thread_annotations.hpp"
#include "redis/redis_server.hpp"

namespace larder::shared {
namespace {

using namespace std::chrono_literals;
using test::RedisServer;
using Kind = SharedAnswer::Kind;

constexpr std::uint64_t kFingerprint = 7;

// Collects the answers of one read.
class Answered {
 public:
  explicit Answered(std::size_t count) : answers_(count), owed_{count} {}

  void take(SharedCopies::Answers answers) {
    const MutexLock lock{mutex_};
    for (auto& [index, answer] : answers) {
      EXPECT_FALSE(answers_[index].has_value()) << "one answer a key";
      answers_[index] = std::move(answer);
      --owed_;
    }
    news_.notify_all();
  }
  std::vector<SharedAnswer> wait() {
    const MutexLock lock{mutex_};
    while (owed_ > 0) news_.wait(mutex_);
    std::vector<SharedAnswer> all;
    for (auto& answer : answers_) all.push_back(*answer);
    return all;
  }
  bool done() {
    const MutexLock lock{mutex_};
    return owed_ == 0;
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<std::optional<SharedAnswer>> answers_ LARDER_GUARDED_BY(mutex_);
  std::size_t owed_ LARDER_GUARDED_BY(mutex_);
};

// One larder process's sight of the tier.
class Process {
 public:
  explicit Process(const RedisServer& server, RedisTierOptions options = {})
      : Process{server.url(), std::move(options)} {}
  explicit Process(const std::string& url, RedisTierOptions options = {}) {
    options.url = redis::parse_redis_url(url).value();
    options.tell = [this](bool there, const std::string& sentence) { tell(there, sentence); };
    tier_ = RedisTier::start(runtime_, std::move(options)).value();
    copies_ = tier_->copies("product", kFingerprint);
  }
  // Ends as a killed one does: what it holds is left as it is.
  ~Process() { tier_->close(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Process& ready() {
    const MutexLock lock{mutex_};
    while (!there_) news_.wait(mutex_);
    return *this;
  }
  void lost() {
    const MutexLock lock{mutex_};
    while (there_) news_.wait(mutex_);
  }
  std::vector<std::string> said() {
    const MutexLock lock{mutex_};
    return said_;
  }

  std::shared_ptr<Answered> begin(const std::vector<std::string>& keys, bool anew = false) {
    auto answered = std::make_shared<Answered>(keys.size());
    std::vector<SharedCopies::Key> wanted;
    for (const std::string& key : keys) wanted.push_back({.key = key, .anew = anew});
    copies_->read(std::move(wanted), [answered](SharedCopies::Answers answers) {
      answered->take(std::move(answers));
    });
    return answered;
  }
  SharedAnswer read(const std::string& key, bool anew = false) {
    return begin({key}, anew)->wait().front();
  }
  // What a read is answered with if it is a copy.
  std::optional<std::string> copy(const std::string& key) {
    const SharedAnswer answer = read(key);
    if (answer.lease) copies_->release(answer.lease);
    return answer.kind == Kind::kCopy ? answer.copy.bytes : std::nullopt;
  }
  // Loads it as a cache would.
  void load(const std::string& key, const std::string& value, Duration ttl = 60s) {
    const SharedAnswer answer = read(key);
    ASSERT_TRUE(answer.lease) << "somebody else has it";
    copies_->fill(answer.lease, value, ttl, 0ms);
  }

  SharedCopies& copies() { return *copies_; }
  RedisTier& tier() { return *tier_; }

 private:
  void tell(bool there, const std::string& sentence) {
    const MutexLock lock{mutex_};
    there_ = there;
    said_.push_back(sentence);
    news_.notify_all();
  }

  Mutex mutex_;
  Condition news_;
  bool there_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<std::string> said_ LARDER_GUARDED_BY(mutex_);
  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<RedisTier> tier_;
  std::shared_ptr<SharedCopies> copies_;
};

class RedisTierTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.emplace();
  }

  std::optional<RedisServer> server_;
};

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

  std::this_thread::sleep_for(1500ms);  // what is tested is that time passes
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
  Process other{*server_};
  other.ready();
  const auto before = other.tier().health().commands;

  const auto answers = other.begin(keys)->wait();

  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(answers[i].copy.bytes, "v" + keys[i]);
  EXPECT_EQ(other.tier().health().commands - before, 101U) << "PTTL and GET, and one more";
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
  const auto changed = one.tier().copies("product", kFingerprint + 1);
  Answered answered{1};

  changed->read({{.key = "1"}},
                [&](SharedCopies::Answers answers) { answered.take(std::move(answers)); });

  EXPECT_TRUE(answered.wait().front().lease);
  EXPECT_EQ(one.tier().stats().stale, 1U);
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
  EXPECT_THAT(said[0], testing::HasSubstr("is there"));
  EXPECT_THAT(said[1], testing::HasSubstr("reads go to the source"));
  EXPECT_THAT(said[2], testing::HasSubstr("is there"));
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

  EXPECT_THAT(one.said().front(), testing::HasSubstr("NOPERM"));
  EXPECT_EQ(one.read("1").kind, Kind::kLoad);
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
                "+eval",
                "+evalsha"});
  const std::string url = "redis://app:secret@127.0.0.1:" + std::to_string(server_->port());
  Process one{url};
  Process other{url};

  one.ready().load("1", "v");
  EXPECT_EQ(other.ready().copy("1"), "v");
  one.copies().invalidate("1");
  one.copies().clear();

  EXPECT_EQ(one.copy("1"), std::nullopt);
  EXPECT_TRUE(one.tier().trusted());
  EXPECT_EQ(one.tier().stats().errors, 0U);
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
