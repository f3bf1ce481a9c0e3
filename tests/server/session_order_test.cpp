// What waits for loads, what does not, and in which order replies come.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Keys = std::vector<std::string>;

class SessionOrder : public SessionTest {
 protected:
  // Makes a key a hit.
  void warm(const std::string& key) {
    const std::size_t load = source_->asked().size();
    ask("GET " + key);
    source_->succeed(load);
    ASSERT_NE(collect(), "");
  }
};

TEST_F(SessionOrder, AHitIsAnsweredAtOnce) {
  warm("product:1");

  EXPECT_EQ(ask("GET product:1"), "$11\r\n<product:1>\r\n");
  EXPECT_EQ(source_->asked().size(), 1U);
}

TEST_F(SessionOrder, AMissIsAnsweredWhenItsLoadEnds) {
  EXPECT_EQ(ask("GET product:1"), "");
  EXPECT_EQ(wakes_, 0);

  source_->succeed(0);

  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n");
}

TEST_F(SessionOrder, NeighbouringMissesOfAPipelineLoadTogether) {
  send(command("GET product:1") + command("GET product:2") + command("GET product:3"));

  EXPECT_THAT(source_->asked(), ElementsAre(Keys{"product:1", "product:2", "product:3"}));
  source_->succeed(0);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n$11\r\n<product:2>\r\n$11\r\n<product:3>\r\n");
}

TEST_F(SessionOrder, TheMissesOfAnMgetLoadTogether) {
  warm("product:2");

  EXPECT_EQ(ask("MGET product:1 product:2 tag:none product:3"), "");

  EXPECT_THAT(source_->asked(), ElementsAre(Keys{"product:2"}, Keys{"product:1", "product:3"}));
  source_->succeed(1);
  EXPECT_EQ(collect(),
            "*4\r\n$11\r\n<product:1>\r\n$11\r\n<product:2>\r\n$-1\r\n$11\r\n<product:3>\r\n");
}

TEST_F(SessionOrder, AnMgetOfHitsWaitsForNothing) {
  warm("product:1");
  ask("SET tag:a x");

  EXPECT_EQ(ask("MGET tag:a product:1 tag:b"), "*3\r\n$1\r\nx\r\n$11\r\n<product:1>\r\n$-1\r\n");
}

TEST_F(SessionOrder, AKeyTwiceInAPipelineLoadsOnce) {
  send(command("GET product:1") + command("MGET product:1 product:1"));

  EXPECT_THAT(source_->asked(), ElementsAre(Keys{"product:1"}));
  source_->succeed(0);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n*2\r\n$11\r\n<product:1>\r\n$11\r\n<product:1>\r\n");
}

TEST_F(SessionOrder, HitsBehindAMissAreComputedWhileItLoads) {
  warm("product:2");
  const std::uint64_t hits = product_stats().hits;

  EXPECT_EQ(send(command("GET product:1") + command("GET product:2") + command("PING")), "");

  EXPECT_EQ(product_stats().hits, hits + 1);  // though its reply has to wait
  source_->succeed(1);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n$11\r\n<product:2>\r\n+PONG\r\n");
}

TEST_F(SessionOrder, RepliesKeepTheirOrderWhateverOrderLoadsEndIn) {
  ask("GET product:1");
  ask("GET product:2");

  source_->succeed(1);
  EXPECT_EQ(collect(), "");
  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n$11\r\n<product:2>\r\n");
}

TEST_F(SessionOrder, ACommandOnAKeyThatLoadsTakesEffectAfterTheLoad) {
  EXPECT_EQ(send(command("GET product:1") + command("DEL product:1") + command("TTL product:1")),
            "");

  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n:1\r\n:-2\r\n");
}

TEST_F(SessionOrder, ACommandOnAnotherKeyDoesNotWait) {
  EXPECT_EQ(send(command("GET product:1") + command("SET tag:a x")), "");

  EXPECT_EQ(keyspace_.members()->at(1).cache->stats().entries, 1U);
  source_->succeed(0);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n+OK\r\n");
}

TEST_F(SessionOrder, FlushallWaitsForWhatTheClientLoads) {
  EXPECT_EQ(send(command("GET product:1") + command("FLUSHALL") + command("DBSIZE")), "");

  source_->succeed(0);

  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n+OK\r\n:0\r\n");
}

TEST_F(SessionOrder, ACommandThatWaitsIsNotCarriedOutTwice) {
  send(command("GET product:1") + command("GET product:2") + command("DEL product:1") +
       command("SET tag:a x"));
  const std::uint64_t before = state_.sum(&Counters::commands);

  source_->succeed(0);
  collect();

  EXPECT_EQ(state_.sum(&Counters::commands), before + 2);
}

TEST_F(SessionOrder, NoSuchRowIsNull) {
  ask("GET product:1");

  source_->find_nothing(0);

  EXPECT_EQ(collect(), "$-1\r\n");
  EXPECT_EQ(ask("GET product:1"), "$-1\r\n");  // and is remembered
  EXPECT_EQ(source_->asked().size(), 1U);
}

TEST_F(SessionOrder, ASourcesErrorIsTheReplyAndIsNotRemembered) {
  ask("GET product:1");

  source_->fail(0, "database is locked");

  EXPECT_EQ(collect(), "-SOURCE database is locked\r\n");
  ask("GET product:1");
  EXPECT_EQ(source_->asked().size(), 2U);
}

TEST_F(SessionOrder, AnMgetThatCannotLoadAllIsAnErrorAsAWhole) {
  warm("product:1");
  ask("MGET product:1 product:2");

  source_->fail(1, "line\r\nbreak");

  EXPECT_EQ(collect(), "-SOURCE line  break\r\n");
}

TEST_F(SessionOrder, AnMgetWithAKeyOfNoCacheLoadsNothing) {
  EXPECT_THAT(ask("MGET product:1 nonsense"), HasSubstr("product:{id:int}"));

  EXPECT_TRUE(source_->asked().empty());
}

TEST_F(SessionOrder, ExistsAsksTheSourceForWhatMemoryLacks) {
  ask("SET tag:a x");
  EXPECT_EQ(ask("EXISTS product:1 tag:a tag:b product:1"), "");

  source_->succeed(0);

  EXPECT_EQ(collect(), ":3\r\n");
}

TEST_F(SessionOrder, AReaderAfterAnInvalidationDoesNotGetWhatWasLoadingBefore) {
  ask("GET product:1");
  keyspace_.members()->at(0).cache->invalidate("product:1");  // another client
  ask("GET product:1");

  source_->succeed(0);
  EXPECT_EQ(collect(), "$11\r\n<product:1>\r\n");

  EXPECT_EQ(source_->asked().size(), 2U);
}

TEST_F(SessionOrder, AnswersThatComeAfterTheClientLeftHarmNobody) {
  ask("GET product:1");
  open();

  source_->succeed(0);

  EXPECT_EQ(ask("GET product:1"), "$11\r\n<product:1>\r\n");
}

// So that it is not taken for idle.
TEST_F(SessionOrder, AClientAwaitsAnAnswerUntilItsLoadIsDone) {
  EXPECT_FALSE(session_->awaits_answer());
  ask("GET product:1");
  EXPECT_TRUE(session_->awaits_answer());

  source_->succeed(0);
  collect();

  EXPECT_FALSE(session_->awaits_answer());
}

}  // namespace
}  // namespace larder::test
