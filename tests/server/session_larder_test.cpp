// LARDER CACHES, STATS, INVALIDATE, REFRESH; and patterns that are too long.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionLarder : public SessionTest {};

TEST_F(SessionLarder, CachesTellsWhereValuesComeFrom) {
  const std::string caches = ask("LARDER CACHES");

  EXPECT_THAT(caches, StartsWith("*2\r\n"));
  for (const char* fact :
       {"$7\r\nproduct\r\n", "$16\r\nproduct:{id:int}\r\n", "$12\r\nread-through\r\n",
        "$7\r\nby hand\r\n", "$3\r\ntag\r\n", "$4\r\nnone\r\n"}) {
    EXPECT_THAT(caches, HasSubstr(fact));
  }
}

TEST_F(SessionLarder, StatsCountsWhatACacheDid) {
  ask("GET product:1");
  source_->succeed(0);
  collect();
  ask("GET product:1");

  const std::string stats = ask("LARDER STATS product");

  for (const char* fact : {"$4\r\nhits\r\n:1\r\n", "$6\r\nmisses\r\n:1\r\n",
                           "$5\r\nloads\r\n:1\r\n", "$9\r\nhit ratio\r\n$3\r\n0.5\r\n"}) {
    EXPECT_THAT(stats, HasSubstr(fact));
  }
  EXPECT_THAT(ask("LARDER STATS"), AllOf(HasSubstr("product"), HasSubstr("tag")));
}

TEST_F(SessionLarder, AMisspeltCacheIsNamedRight) {
  EXPECT_EQ(ask("LARDER STATS prodct"),
            "-ERR there is no cache \"prodct\"; did you mean \"product\"?\r\n");
  EXPECT_EQ(ask("LARDER INVALIDATE CACHE x"),
            "-ERR there is no cache \"x\"; LARDER CACHES lists them\r\n");
}

TEST_F(SessionLarder, InvalidateKeyMakesTheNextReadLoadAnew) {
  ask("GET product:1");
  source_->succeed(0);
  collect();
  ask("SET tag:a x");

  EXPECT_EQ(ask("LARDER INVALIDATE KEY product:1 tag:a tag:b"), ":2\r\n");

  EXPECT_EQ(ask("GET product:1"), "");
  EXPECT_EQ(source_->asked().size(), 2U);
}

TEST_F(SessionLarder, InvalidateOfAKeyOfNoCacheDropsNothing) {
  ask("SET tag:a x");

  EXPECT_THAT(ask("LARDER INVALIDATE KEY tag:a nosuch"), StartsWith("-ERR key \"nosuch\""));

  EXPECT_EQ(ask("GET tag:a"), "$1\r\nx\r\n");
}

TEST_F(SessionLarder, InvalidateCacheDropsThatCacheAlone) {
  ask("GET product:1");
  source_->succeed(0);
  collect();
  ask("SET tag:a x");

  EXPECT_EQ(ask("LARDER INVALIDATE CACHE tag"), "+OK\r\n");

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
  EXPECT_EQ(ask("GET product:1"), "$11\r\n<product:1>\r\n");
  EXPECT_THAT(ask("LARDER INVALIDATE ROWS tag"), StartsWith("-ERR syntax error"));
}

TEST_F(SessionLarder, RefreshLoadsThoughThereIsACopy) {
  ask("GET product:1");
  source_->succeed(0);
  collect();

  EXPECT_EQ(ask("LARDER REFRESH product:1"), "");
  ASSERT_EQ(source_->asked().size(), 2U);
  source_->find_nothing(1);

  EXPECT_EQ(collect(), ":0\r\n");
  EXPECT_EQ(ask("GET product:1"), "$-1\r\n");
}

TEST_F(SessionLarder, RefreshAnswersWhenTheLoadIsDone) {
  EXPECT_EQ(ask("LARDER REFRESH product:1"), "");
  source_->succeed(0);
  EXPECT_EQ(collect(), ":1\r\n");

  EXPECT_EQ(ask("LARDER REFRESH product:1"), "");
  source_->fail(1, "no such table: products");
  EXPECT_EQ(collect(), "-SOURCE no such table: products\r\n");
}

TEST_F(SessionLarder, RefreshBesideReadsOfTheSameBatchIsAnsweredInOrder) {
  const std::string batch =
      command("GET product:1") + command("LARDER REFRESH product:2") + command("GET product:3");
  EXPECT_EQ(send(batch), "");
  for (std::size_t i = 0; i < source_->asked().size(); ++i) source_->succeed(i);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n:1\r\n$11\r\n<product:3>\r\n");
}

TEST_F(SessionLarder, RefreshOfAPlainCacheIsRefused) {
  EXPECT_THAT(ask("LARDER REFRESH tag:a"),
              StartsWith("-REFUSED cache \"tag\" has no source to load from"));
}

TEST_F(SessionLarder, APatternBeyondTheLimitIsRefused) {
  const std::string longest(1024, '*');

  EXPECT_EQ(ask("KEYS " + longest), "*0\r\n");
  for (const std::string command : {"KEYS ", "SCAN 0 MATCH ", "COMMAND LIST FILTERBY PATTERN "}) {
    EXPECT_EQ(ask(command + longest + "*"),
              "-ERR the pattern has 1025 bytes; at most 1024 are matched\r\n");
  }
}

}  // namespace
}  // namespace larder::test
