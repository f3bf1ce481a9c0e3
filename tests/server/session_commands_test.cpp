// What each command answers, in Redis's words.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionCommands : public SessionTest {};

TEST_F(SessionCommands, PingAndEchoAnswerWhatTheyAreGiven) {
  EXPECT_EQ(ask("PING"), "+PONG\r\n");
  EXPECT_EQ(ask("ping hello"), "$5\r\nhello\r\n");
  EXPECT_EQ(ask("ECHO hello"), "$5\r\nhello\r\n");
}

TEST_F(SessionCommands, UnknownCommandsAnswerAsRedisDoes) {
  EXPECT_EQ(ask("FOO bar baz"),
            "-ERR unknown command 'FOO', with args beginning with: 'bar' 'baz' \r\n");
  EXPECT_EQ(ask("CLIENT FOO"), "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n");
}

TEST_F(SessionCommands, AWrongNumberOfWordsIsAnError) {
  EXPECT_EQ(ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(ask("GET a b"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(ask("CLIENT SETNAME"),
            "-ERR wrong number of arguments for 'client|setname' command\r\n");
}

TEST_F(SessionCommands, HelloChangesTheProtocol) {
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
  EXPECT_THAT(ask("HELLO 3"), AllOf(StartsWith("%7\r\n$6\r\nserver\r\n$6\r\nlarder\r\n"),
                                    HasSubstr("$5\r\nproto\r\n:3\r\n")));
  EXPECT_EQ(ask("GET tag:a"), "_\r\n");
  EXPECT_THAT(ask("HELLO 2"), StartsWith("*14\r\n"));
}

TEST_F(SessionCommands, HelloRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(ask("HELLO x"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(ask("HELLO 3 FOO"), "-ERR Syntax error in HELLO option 'FOO'\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");  // still RESP2
}

TEST_F(SessionCommands, ClientsIntroduceThemselves) {
  EXPECT_EQ(ask("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(ask("CLIENT SETNAME shop"), "+OK\r\n");
  EXPECT_EQ(ask("CLIENT GETNAME"), "$4\r\nshop\r\n");
  EXPECT_EQ(ask("CLIENT SETINFO LIB-NAME redis-py"), "+OK\r\n");
  EXPECT_EQ(ask("CLIENT ID"), ":1\r\n");
}

TEST_F(SessionCommands, OnlyDatabase0Exists) {
  EXPECT_EQ(ask("SELECT 0"), "+OK\r\n");
  EXPECT_EQ(ask("SELECT 1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(ask("SELECT x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(SessionCommands, SetAndGetOnAPlainCache) {
  EXPECT_EQ(ask("SET tag:a x"), "+OK\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$1\r\nx\r\n");
  EXPECT_EQ(ask("GET tag:b"), "$-1\r\n");
}

TEST_F(SessionCommands, SetUnderConditions) {
  EXPECT_EQ(ask("SET tag:a x XX"), "$-1\r\n");
  EXPECT_EQ(ask("SET tag:a x NX"), "+OK\r\n");
  EXPECT_EQ(ask("SET tag:a y NX"), "$-1\r\n");
  EXPECT_EQ(ask("SET tag:a y NX GET"), "$1\r\nx\r\n");
  EXPECT_EQ(ask("SET tag:a z XX GET"), "$1\r\nx\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$1\r\nz\r\n");
  EXPECT_EQ(ask("SET tag:a x NX XX"), "-ERR syntax error\r\n");
}

TEST_F(SessionCommands, SetWithATimeToLive) {
  EXPECT_EQ(ask("SET tag:a x EX 100"), "+OK\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":100\r\n");
  EXPECT_EQ(ask("PTTL tag:a"), ":100000\r\n");
  EXPECT_EQ(ask("SET tag:a y KEEPTTL"), "+OK\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":100\r\n");
  EXPECT_EQ(ask("SET tag:a y PX 1500"), "+OK\r\n");
  EXPECT_EQ(ask("PTTL tag:a"), ":1500\r\n");

  clock_.advance(1500ms);

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionCommands, SetRefusesTimesThatAreNone) {
  EXPECT_EQ(ask("SET tag:a x EX 0"), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(ask("SET tag:a x PX -5"), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(ask("SET tag:a x EX 9223372036854775807"),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(ask("SET tag:a x EX 1s"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(ask("SET tag:a x EX"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("SET tag:a x EX 5 KEEPTTL"), "-ERR syntax error\r\n");
}

TEST_F(SessionCommands, AValueWithoutATimeToLiveGetsItsCaches) {
  ask("SET tag:a x");

  EXPECT_EQ(ask("TTL tag:a"), ":300\r\n");
}

TEST_F(SessionCommands, AVeryLongLifeIsCut) {
  EXPECT_EQ(ask("SET tag:a x EX 9223372036854000"),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(ask("SET tag:a x EX 9000000000000"), "+OK\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":3153600000\r\n");
}

TEST_F(SessionCommands, ExpireChangesALife) {
  EXPECT_EQ(ask("EXPIRE tag:a 10"), ":0\r\n");
  ask("SET tag:a x EX 100");

  EXPECT_EQ(ask("EXPIRE tag:a 50 NX"), ":0\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a 50 GT"), ":0\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a 200 LT"), ":0\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a 50 XX"), ":1\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":50\r\n");
  EXPECT_EQ(ask("PEXPIRE tag:a 60000 GT"), ":1\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":60\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a -1"), ":1\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionCommands, ExpireRefusesFlagsThatContradict) {
  EXPECT_EQ(ask("EXPIRE tag:a 1 GT LT"),
            "-ERR GT and LT options at the same time are not compatible\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a 1 NX XX"),
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
  EXPECT_EQ(ask("EXPIRE tag:a 1 FOO"), "-ERR Unsupported option FOO\r\n");
}

// Whether this process has a copy does not matter: another may.
TEST_F(SessionCommands, ATimeThatIsOverInvalidatesAKeyOfASource) {
  EXPECT_EQ(ask("EXPIRE product:1 -1"), ":0\r\n");
  EXPECT_EQ(ask("PEXPIRE product:1 0 LT"), ":0\r\n");
  EXPECT_EQ(ask("EXPIREAT product:1 1 XX"), ":0\r\n");
  EXPECT_EQ(product_stats().invalidations, 3U);
  EXPECT_EQ(ask("EXPIRE product:1 -1 NX"), ":0\r\n");
  EXPECT_EQ(ask("EXPIRE product:1 -1 GT"), ":0\r\n");
  EXPECT_EQ(product_stats().invalidations, 3U);
  ask("GET product:1");
  source_->succeed(0);
  collect();

  EXPECT_EQ(ask("PEXPIREAT product:1 1"), ":1\r\n");

  EXPECT_EQ(ask("TTL product:1"), ":-2\r\n");
  EXPECT_EQ(product_stats().invalidations, 4U);
}

TEST_F(SessionCommands, ThatThereIsNoRowHasNoTimeToLive) {
  ask("GET product:1");
  source_->find_nothing(0);
  collect();

  EXPECT_EQ(ask("EXPIRE product:1 -1"), ":0\r\n");

  EXPECT_EQ(ask("GET product:1"), "") << "and is asked for again";
}

TEST_F(SessionCommands, ExpireNeverKeepsACopyLongerThanItsSourcesTtl) {
  ask("GET product:1");
  source_->succeed(0);
  collect();

  EXPECT_EQ(ask("EXPIRE product:1 100000"), ":1\r\n");
  EXPECT_EQ(ask("TTL product:1"), ":300\r\n");
  EXPECT_EQ(ask("EXPIRE product:1 10"), ":1\r\n");
  EXPECT_EQ(ask("TTL product:1"), ":10\r\n");
}

TEST_F(SessionCommands, DelCountsTheCopiesItDropped) {
  ask("SET tag:a x");
  ask("SET tag:b x");

  EXPECT_EQ(ask("DEL tag:a tag:b tag:c tag:a"), ":2\r\n");
  ask("SET tag:a x");
  EXPECT_EQ(ask("UNLINK tag:a"), ":1\r\n");
}

TEST_F(SessionCommands, DelMakesTheNextReadLoadAnew) {
  ask("GET product:1");
  source_->succeed(0);
  collect();

  EXPECT_EQ(ask("DEL product:1"), ":1\r\n");

  EXPECT_EQ(ask("GET product:1"), "");
  EXPECT_EQ(source_->asked().size(), 2U);
}

TEST_F(SessionCommands, DbsizeAndFlushallCountAndDropCopies) {
  ask("SET tag:a x");
  ask("SET tag:b x");
  EXPECT_EQ(ask("DBSIZE"), ":2\r\n");

  EXPECT_EQ(ask("FLUSHALL ASYNC"), "+OK\r\n");

  EXPECT_EQ(ask("DBSIZE"), ":0\r\n");
  EXPECT_EQ(ask("FLUSHALL NOW"), "-ERR syntax error\r\n");
}

TEST_F(SessionCommands, AWriteThatTheStrategyForbidsNamesTheSetting) {
  EXPECT_EQ(ask("SET product:1 x"),
            "-REFUSED cache \"product\" is read-through and takes no writes: write to its source "
            "and DEL the key, or set strategy = \"write-through\" or \"cache-aside\" in "
            "[caches.product]\r\n");
}

TEST_F(SessionCommands, AKeyOfNoCacheListsThePatterns) {
  const std::string error =
      "-ERR key \"user:1\" belongs to no cache; the patterns are product:{id:int}, tag:{name}\r\n";

  EXPECT_EQ(ask("GET user:1"), error);
  EXPECT_EQ(ask("SET user:1 x"), error);
  EXPECT_EQ(ask("DEL user:1"), error);
}

TEST_F(SessionCommands, AKeyPartThatDoesNotFitIsNamed) {
  EXPECT_THAT(ask("GET product:abc"), AllOf(StartsWith("-ERR key \"product:abc\" does not fit"),
                                            HasSubstr("abc"), HasSubstr("{id")));
}

TEST_F(SessionCommands, AKeyBeyondTheLimitIsRefused) {
  EXPECT_THAT(ask("GET tag:" + std::string(70'000, 'x')), HasSubstr("server.max_key"));
}

TEST_F(SessionCommands, AKeyOfNoCacheIsAnErrorWhateverIsAskedAboutIt) {
  for (const char* line :
       {"GET other:1", "MGET tag:a other:1", "EXISTS other:1", "TTL other:1", "PTTL other:1",
        "EXPIRETIME other:1", "PEXPIRETIME other:1", "EXPIRE other:1 5", "PERSIST other:1",
        "TYPE other:1", "TOUCH tag:a other:1", "OBJECT ENCODING other:1", "OBJECT FREQ other:1",
        "OBJECT IDLETIME other:1", "MEMORY USAGE other:1", "STRLEN other:1", "DEL tag:a other:1",
        "SET other:1 x", "GETDEL other:1"}) {
    EXPECT_THAT(ask(line), HasSubstr("-ERR key \"other:1\" belongs to no cache")) << line;
  }
}

TEST_F(SessionCommands, DbsizeDoesNotCountWhatTheSourceDoesNotHave) {
  ask("SET tag:a 1");
  ask("GET product:1");
  source_->find_nothing(0);
  collect();

  EXPECT_EQ(ask("DBSIZE"), ":1\r\n");
}

TEST_F(SessionCommands, AValueThatTheTierCannotHoldIsRefused) {
  EXPECT_THAT(ask("SET tag:a " + std::string(20 << 20, 'x')), StartsWith("-ERR cache \"tag\""));
}

TEST_F(SessionCommands, CommandDescribesTheCommands) {
  const std::string count = std::to_string(all_commands().size());

  EXPECT_EQ(ask("COMMAND COUNT"), ":" + count + "\r\n");
  EXPECT_THAT(ask("COMMAND"), StartsWith("*" + count + "\r\n*10\r\n"));
  EXPECT_THAT(
      ask("COMMAND INFO get"),
      StartsWith("*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1"
                 "\r\n"));
  EXPECT_EQ(ask("COMMAND INFO nonsense"), "*1\r\n*-1\r\n");
  EXPECT_THAT(ask("COMMAND DOCS get"), StartsWith("*2\r\n$3\r\nget\r\n*10\r\n$7\r\nsummary\r\n"));
  EXPECT_EQ(ask("COMMAND DOCS nonsense"), "*0\r\n");
}

TEST_F(SessionCommands, DocsTellWhatACommandTakes) {
  EXPECT_THAT(ask("COMMAND DOCS getex"),
              AllOf(HasSubstr("$9\r\narguments\r\n*2\r\n"
                              "*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                              "$14\r\nkey_spec_index\r\n:0\r\n"),
                    HasSubstr("$4\r\ntype\r\n$5\r\noneof\r\n$5\r\nflags\r\n*1\r\n+optional\r\n"
                              "$9\r\narguments\r\n*5\r\n"
                              "*6\r\n$4\r\nname\r\n$7\r\nseconds\r\n$4\r\ntype\r\n$7\r\ninteger\r\n"
                              "$5\r\ntoken\r\n$2\r\nEX\r\n")));
  EXPECT_THAT(ask("COMMAND DOCS ping|x"), StartsWith("*0\r\n"));
}

TEST_F(SessionCommands, InfoHasWhatClientsLookFor) {
  ask("SET tag:a x");
  ask("GET tag:a");
  ask("GET tag:b");

  const std::string info = ask("INFO");

  for (const char* line :
       {"# Server\r\nredis_version:7.0.0\r\n", "\r\ntcp_port:6380\r\n", "\r\nloading:0\r\n",
        "\r\nkeyspace_hits:1\r\n", "\r\nkeyspace_misses:1\r\n", "\r\nrole:master\r\n",
        "\r\ndb0:keys=1,expires=1,avg_ttl=300000\r\n", "\r\ncache_tag:keys=1,"}) {
    EXPECT_THAT(info, HasSubstr(line));
  }
  EXPECT_THAT(ask("INFO memory"),
              AllOf(HasSubstr("# Memory"), ::testing::Not(HasSubstr("# Server"))));
  EXPECT_THAT(ask("INFO commandstats"), HasSubstr("cmdstat_get:calls=2"));
}

TEST_F(SessionCommands, ExplainTellsWhereACopyIsAndWhatItCost) {
  ask("GET product:1");
  clock_.advance(200ms);
  source_->succeed(0);
  collect();
  clock_.advance(4s);

  const std::string explained = ask("LARDER EXPLAIN product:1");

  for (const char* fact : {"$5\r\nwhere\r\n$6\r\nmemory\r\n", "$3\r\nage\r\n$5\r\n4.20s\r\n",
                           "$9\r\nload cost\r\n$5\r\n200ms\r\n", "$5\r\ncache\r\n$7\r\nproduct\r\n",
                           "$6\r\nsource\r\n$7\r\nby hand\r\n"}) {
    EXPECT_THAT(explained, HasSubstr(fact));
  }
}

TEST_F(SessionCommands, ExplainTellsOfALoadWithACopyAndWithout) {
  const auto cache = keyspace_.members()->at(0).cache;
  const std::string key = "product:1";
  cache->fetch({&key, 1}, {}, [](std::size_t, const Answer<std::string>&) {});
  clock_.advance(3s);
  EXPECT_THAT(ask("LARDER EXPLAIN product:1"),
              AllOf(HasSubstr("on its way"), HasSubstr("under way for 3.00s")));
  source_->succeed(0);
  EXPECT_THAT(ask("LARDER EXPLAIN product:1"), ::testing::Not(HasSubstr("under way")));
  cache->fetch({&key, 1}, {.force = true}, [](std::size_t, const Answer<std::string>&) {});
  clock_.advance(2s);

  const std::string refreshed = ask("LARDER EXPLAIN product:1");

  EXPECT_THAT(refreshed, AllOf(HasSubstr("$6\r\nmemory\r\n"), HasSubstr("under way for 2.00s")));
}

TEST_F(SessionCommands, ExplainTellsOfALoadThatWaitsForItsTurn) {
  const auto cache = keyspace_.members()->at(0).cache;
  const unsigned at_once = cache->gate().limits().concurrent;
  for (unsigned i = 0; i <= at_once; ++i) {
    const std::string key = "product:" + std::to_string(i);
    cache->fetch({&key, 1}, {}, [](std::size_t, const Answer<std::string>&) {});
  }

  EXPECT_THAT(ask("LARDER EXPLAIN product:" + std::to_string(at_once)),
              HasSubstr("waits for its turn"));
}

TEST_F(SessionCommands, ExplainTellsOfTheSourceOnOneLine) {
  source_->describes = "sqlite:shop.db · \n  SELECT id,\r\n\t name  \n\nFROM products\n";

  EXPECT_THAT(ask("LARDER EXPLAIN product:1"),
              HasSubstr("sqlite:shop.db · SELECT id, name  FROM products\r\n"));
}

TEST_F(SessionCommands, ExplainOfWhatIsNotThereLoadsNothing) {
  EXPECT_THAT(ask("LARDER EXPLAIN product:1"), HasSubstr("nowhere"));

  EXPECT_TRUE(source_->asked().empty());
}

TEST_F(SessionCommands, ExplainTellsThatAValueMayBeTooLargeToBeKept) {
  EXPECT_THAT(ask("LARDER EXPLAIN product:1"), ::testing::Not(HasSubstr("not kept")));
  ask("GET product:1");
  source_->succeed_with(0, std::string(9 << 20, 'x'));
  collect();

  EXPECT_THAT(ask("LARDER EXPLAIN product:1"),
              AllOf(HasSubstr("$7\r\nnowhere\r\n"), HasSubstr("larger than memory keeps")));
}

TEST_F(SessionCommands, ExplainIsAMapInResp3) {
  ask("HELLO 3");

  EXPECT_THAT(ask("LARDER EXPLAIN tag:a"), StartsWith("%8\r\n"));
}

TEST_F(SessionCommands, LarderHelpListsItsSubcommands) {
  EXPECT_THAT(ask("LARDER HELP"), AllOf(HasSubstr("EXPLAIN key"), HasSubstr("HELP")));
}

}  // namespace
}  // namespace larder::test
