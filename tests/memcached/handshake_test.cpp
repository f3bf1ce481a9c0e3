#include "memcached/handshake.hpp"

#include <gmock/gmock.h>

namespace larder::memcached {
namespace {

using Kind = MetaReply::Kind;
using Step = Handshake::Step;
using testing::HasSubstr;

MetaReply version(std::string text) { return {.kind = Kind::kVersion, .text = std::move(text)}; }
MetaReply setting(std::string text) { return {.kind = Kind::kStat, .text = std::move(text)}; }
MetaReply end() { return {.kind = Kind::kEnd}; }

TEST(MemcachedHandshake, LearnsTheVersionAndTheLargestItem) {
  Handshake handshake{"cache:11211"};

  EXPECT_EQ(handshake.take(version("1.6.18")), Step::kWait);
  EXPECT_EQ(handshake.take(setting("maxbytes 67108864")), Step::kWait);
  EXPECT_EQ(handshake.take(setting("item_size_max 1048576")), Step::kWait);
  EXPECT_EQ(handshake.take(setting("cas_enabled yes")), Step::kWait);
  EXPECT_EQ(handshake.take(end()), Step::kDone);

  EXPECT_EQ(handshake.session().version, "1.6.18");
  EXPECT_EQ(handshake.session().largest_item, 1U << 20U);
}

TEST(MemcachedHandshake, TakesLaterVersions) {
  EXPECT_EQ(Handshake{"c"}.take(version("1.6.10")), Step::kWait);
  EXPECT_EQ(Handshake{"c"}.take(version("1.10.2-beta")), Step::kWait);
  EXPECT_EQ(Handshake{"c"}.take(version("2.0")), Step::kWait);
}

TEST(MemcachedHandshake, RefusesOneWithoutTheMetaCommandsOfToday) {
  for (const char* old :
       {"1.6.9", "1.6.6-rc1", "1.6", "1.6.", "1.5.22", "1.4", "0.9", "one", "1."}) {
    Handshake handshake{"cache:11211"};

    EXPECT_EQ(handshake.take(version(old)), Step::kFailed) << old;
    EXPECT_THAT(handshake.error().message, HasSubstr("larder needs 1.6.10 or later"));
  }
}

TEST(MemcachedHandshake, RefusesOneThatKeepsNoCas) {
  Handshake handshake{"cache:11211"};
  (void)handshake.take(version("1.6.18"));
  (void)handshake.take(setting("item_size_max 1048576"));
  (void)handshake.take(setting("cas_enabled no"));

  EXPECT_EQ(handshake.take(end()), Step::kFailed);
  EXPECT_THAT(handshake.error().message, HasSubstr("cache:11211 runs without CAS"));
}

TEST(MemcachedHandshake, RefusesOneThatWantsALogin) {
  Handshake handshake{"cache:11211"};

  EXPECT_EQ(handshake.take({.kind = Kind::kError, .text = "CLIENT_ERROR unauthenticated"}),
            Step::kFailed);
  EXPECT_THAT(handshake.error().message, HasSubstr("unauthenticated"));
}

TEST(MemcachedHandshake, RefusesWhatIsNoMemcached) {
  Handshake silent{"c"};
  EXPECT_EQ(silent.take(end()), Step::kFailed);

  Handshake short_spoken{"c"};
  (void)short_spoken.take(version("1.6.18"));
  EXPECT_EQ(short_spoken.take(end()), Step::kFailed);
}

}  // namespace
}  // namespace larder::memcached
