// What one process invalidates, the others hear.
#include <gmock/gmock.h>

#include <sstream>

#include "shared/process.hpp"

namespace larder::shared {
namespace {

TEST_F(RedisTierTest, WhatOneInvalidatesTheOthersHear) {
  Process one{*server_};
  Process other{*server_};
  const auto heard = other.listen();
  const auto own = one.listen();

  one.ready().copies().invalidate("1");
  one.copies().clear();
  one.copies().invalidate("2");

  EXPECT_EQ(heard->word(1), "1");
  EXPECT_EQ(heard->word(2), "*");
  EXPECT_EQ(heard->word(3), "2");
  EXPECT_EQ(own->size(), 0U);
}

TEST_F(RedisTierTest, OtherCachesDoNotHearIt) {
  Process one{*server_};
  Process other{*server_};
  const auto heard = other.listen();
  const auto reviews = std::make_shared<Heard>();
  other.tier().copies("review", kFingerprint)->listen(reviews);

  one.ready().copies().invalidate("1");

  EXPECT_EQ(heard->word(), "1");
  EXPECT_EQ(reviews->size(), 0U);
}

TEST_F(RedisTierTest, WhatOneRefreshesTheOthersHearAndFind) {
  Process one{*server_};
  Process other{*server_};
  one.ready().load("1", "old");  // replaces nothing, so that nobody is told
  const auto heard = other.ready().listen();
  const auto own = one.listen();

  const SharedAnswer anew = one.read("1", true);
  one.copies().fill(anew.lease, "new", 60s, 0ms);

  EXPECT_EQ(heard->word(), "1");
  EXPECT_EQ(other.copy("1"), "new") << "what was announced is there already";
  one.copies().invalidate("2");
  EXPECT_EQ(heard->word(2), "2") << "once";
  EXPECT_EQ(own->size(), 0U);
}

TEST_F(RedisTierTest, ARefreshThatIsRefusedIsNotAnnounced) {
  Process one{*server_};
  Process other{*server_};
  const auto heard = other.ready().listen();
  const SharedAnswer anew = one.ready().read("1", true);
  other.copies().invalidate("1");
  while (server_->ask({"EXISTS", other.tier().names().value("product", "1")}).integer != 0) {
    std::this_thread::yield();
  }

  one.copies().fill(anew.lease, "old", 60s, 0ms);
  while (one.tier().stats().refused_fills == 0) std::this_thread::yield();
  one.copies().invalidate("2");

  EXPECT_EQ(heard->word(), "2");
}

TEST_F(RedisTierTest, WhatCouldNotBeToldIsHeardLater) {
  Process one{*server_, {.timeout = 50ms}};
  Process other{*server_};
  const auto heard = other.listen();
  one.ready();
  server_->pause();
  one.copies().invalidate("1");
  one.lost();
  server_->resume();

  // Told twice, perhaps: whether the first was carried out was not known.
  EXPECT_EQ(heard->word(), "1");
}

// Counts what it hears until the last key, and the signs among that.
class Flood final : public BackplaneEvents {
 public:
  explicit Flood(std::size_t keys) : keys_{keys} {}

  void announced(const Announcement&) override {
    const MutexLock lock{mutex_};
    ++heard_;
    news_.notify_all();
  }
  void missed() override {
    const MutexLock lock{mutex_};
    began_ = true;
    news_.notify_all();
  }
  void heard_until(TimePoint) override {
    const MutexLock lock{mutex_};
    if (heard_ > 0 && heard_ < keys_) ++early_signs_;
  }
  void not_followed(const resp::Reply& why) override { ADD_FAILURE() << why.text; }
  void not_connected(const Error& why) override { ADD_FAILURE() << why.message; }
  void followed() override {}

  void wait_to_begin() {
    const MutexLock lock{mutex_};
    while (!began_) news_.wait(mutex_);
  }
  // Of the signs those that came before everything was heard.
  std::size_t early_signs() {
    const MutexLock lock{mutex_};
    while (heard_ < keys_) news_.wait(mutex_);
    return early_signs_;
  }

 private:
  const std::size_t keys_;
  Mutex mutex_;
  Condition news_;
  bool began_ LARDER_GUARDED_BY(mutex_) = false;
  std::size_t heard_ LARDER_GUARDED_BY(mutex_) = 0;
  std::size_t early_signs_ LARDER_GUARDED_BY(mutex_) = 0;
};

TEST_F(RedisTierTest, WhoHasNotReadEverythingDoesNotVouchForIt) {
  Runtime runtime{{.io_threads = 1}};
  const auto flood = std::make_shared<Flood>(2 * Announcements::kAtOnce + 500);
  const auto backplane = StreamBackplane::start(
      runtime, {.url = redis::parse_redis_url(server_->url()).value()}, "s", "me", flood);
  ASSERT_TRUE(backplane);
  flood->wait_to_begin();

  server_->ask({"EVAL",
                "for i = 1, 2500 do redis.call('XADD', 's', '*', 'o', 'other', 'c', 'product', "
                "'k', i) end",
                "0"});

  EXPECT_EQ(flood->early_signs(), 0U);
  (*backplane)->close();
}

TEST_F(RedisTierTest, ARestartedServerMayHaveLostAnnouncements) {
  Process one{*server_};
  const auto heard = one.listen();
  server_->kill();
  server_->start();

  EXPECT_EQ(heard->word(), "*");
}

TEST_F(RedisTierTest, AFullServerAnnouncesAllTheSame) {
  Process one{*server_};
  Process other{*server_};
  const auto heard = other.listen();
  one.ready();
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  one.copies().invalidate("1");

  EXPECT_EQ(heard->word(), "1") << "a script that has deleted something may go on";
}

TEST_F(RedisTierTest, WhatCannotBeAnnouncedIsNoticed) {
  Process one{*server_};
  const auto heard = one.listen();
  one.ready();
  server_->ask({"DEL", "larder/announcements"});
  server_->ask({"SET", "larder/announcements", "no stream"});
  EXPECT_EQ(heard->word(), "*");

  one.copies().invalidate("1");

  // Its hello finds a place again.
  while (server_->ask({"TYPE", "larder/announcements"}).text != "stream") std::this_thread::yield();
}

// The id of the client that waits for news, in a CLIENT LIST.
std::string reader_of(const std::string& list) {
  std::istringstream lines{list};
  for (std::string line; std::getline(lines, line);) {
    if (line.contains(" cmd=xread ")) return line.substr(3, line.find(' ') - 3);
  }
  return {};
}

// A right that following takes.
class FollowingTest : public RedisTierTest, public testing::WithParamInterface<std::string> {};

TEST_P(FollowingTest, ThatAnnouncementsCannotBeFollowedIsSaidOnceEachWay) {
  server_->ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-" + GetParam()});
  Process one{"redis://app:secret@127.0.0.1:" + std::to_string(server_->port()), {.quiet = 1ms}};
  one.wait_to_say("cannot be followed: NOPERM");
  while (one.tier().stats().errors < 3) std::this_thread::yield();
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
  EXPECT_EQ(one.times_said("is followed"), 0U);
  EXPECT_LE(one.tier().stats().gaps, 1U) << "one, however often it is tried";

  server_->ask({"ACL", "SETUSER", "app", "+" + GetParam()});

  one.wait_to_say("is followed");
  while (one.copies().vouch()->longest() < 1h) std::this_thread::yield();
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
  EXPECT_TRUE(one.tier().trusted());
}

INSTANTIATE_TEST_SUITE_P(Without, FollowingTest, testing::Values("xadd", "xread", "xrange"),
                         [](const auto& right) { return right.param; });

TEST(Attempts, AreToldOfOnceTheyHaveFailedForAWhile) {
  Attempts attempts;
  EXPECT_FALSE(attempts.ended(TimePoint{10s}));
  EXPECT_FALSE(attempts.ended(TimePoint{10'999ms}));
  EXPECT_TRUE(attempts.ended(TimePoint{11s}));

  attempts.connected();
  EXPECT_FALSE(attempts.ended(TimePoint{30s})) << "a connection";
  EXPECT_FALSE(attempts.ended(TimePoint{40s}));
  EXPECT_TRUE(attempts.ended(TimePoint{41s}));
}

// Its connection is lost, and a new one is more than the server takes.
TEST_F(RedisTierTest, ThatNoConnectionToFollowByCanBeMadeIsSaidOnceEachWay) {
  Process one{*server_, {.quiet = 1ms}};
  while (one.copies().vouch()->longest() < 1h) std::this_thread::yield();
  test::Peer operates = test::Peer::to_socket(server_->socket());
  operates.ask({"CONFIG", "SET", "maxclients", "2"});

  operates.ask(
      {"CLIENT", "KILL", "ID", reader_of(operates.ask(test::Words{"CLIENT", "LIST"}).text)});

  one.wait_to_say("cannot be followed: ");
  while (one.tier().stats().errors < 3) std::this_thread::yield();
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
  EXPECT_TRUE(one.tier().trusted());

  operates.ask({"CONFIG", "SET", "maxclients", "100"});

  one.wait_to_say("is followed");
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
}

TEST_F(RedisTierTest, WhoHearsNothingBelievesMemoryForABoundAlone) {
  Process one{*server_};
  const auto heard = one.listen();
  const auto vouch = one.copies().vouch();
  while (vouch->longest() < 1h) std::this_thread::yield();
  server_->pause();

  EXPECT_EQ(heard->word(), "*");
  EXPECT_EQ(vouch->longest(), Hearing::kBound);

  server_->resume();
  while (vouch->longest() < 1h) std::this_thread::yield();
}

TEST_F(RedisTierTest, AStreamThatLostWhatWasNotReadIsNoticed) {
  Process one{*server_};
  const auto heard = one.listen();

  server_->ask(
      {"XADD", "larder/announcements", "MAXLEN", "0", "*", "o", "other", "c", "product", "k", "1"});

  // What came before the loss was seen is heard or not; the loss is.
  while (heard->size() == 0 || heard->word(heard->size()) != "*") std::this_thread::yield();
}

}  // namespace
}  // namespace larder::shared
