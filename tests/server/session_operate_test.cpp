// What is for people who run the server: CONFIG, SLOWLOG, LATENCY, and INFO's numbers.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SessionOperates : public SessionTest {
 protected:
  explicit SessionOperates(Limits limits = {}) : SessionTest{limits} {
    state_.show_settings(std::make_shared<const std::vector<ShownSetting>>(
        std::vector<ShownSetting>{{"server.max_clients", "10000"}, {"caches.tag.ttl", "5m"}}));
  }
};

TEST_F(SessionOperates, ConfigGetKnowsTheNamesThatRedisToolsAskFor) {
  EXPECT_EQ(ask("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_EQ(ask("CONFIG GET appendonly"), "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
  EXPECT_EQ(ask("CONFIG GET MAXMEMORY"), "*2\r\n$9\r\nmaxmemory\r\n$8\r\n16777216\r\n");
  EXPECT_EQ(ask("CONFIG GET nothing"), "*0\r\n");
}

TEST_F(SessionOperates, ConfigGetTakesPatternsAndLardersOwnNames) {
  EXPECT_EQ(ask("CONFIG GET *max_clients caches.*"),
            "*4\r\n$18\r\nserver.max_clients\r\n$5\r\n10000\r\n"
            "$14\r\ncaches.tag.ttl\r\n$2\r\n5m\r\n");
  ask("HELLO 3");
  EXPECT_THAT(ask("CONFIG GET maxmemory*"), StartsWith("%2\r\n"));
}

TEST_F(SessionOperates, SettingsAreNotChangedHere) {
  EXPECT_EQ(ask("CONFIG SET maxmemory 1"),
            "-REFUSED settings change in larder.toml: change it there and say LARDER RELOAD, which "
            "tells what needs a restart\r\n");
  EXPECT_THAT(ask("CONFIG REWRITE"), StartsWith("-REFUSED"));
  EXPECT_EQ(ask("CONFIG SET maxmemory"),
            "-ERR wrong number of arguments for 'config|set' command\r\n");
}

TEST_F(SessionOperates, ResetstatLetsInfoBeginAnewAndTheCountersGoOn) {
  ask("SET tag:a x");
  ask("GET tag:a");
  ask("NOSUCH");
  EXPECT_THAT(ask("INFO stats"), HasSubstr("keyspace_hits:1\r\n"));
  const std::uint64_t before = state_.sum(&Counters::commands);

  EXPECT_EQ(ask("CONFIG RESETSTAT"), "+OK\r\n");

  EXPECT_THAT(ask("INFO stats"),
              AllOf(HasSubstr("keyspace_hits:0\r\n"), HasSubstr("total_error_replies:0\r\n"),
                    HasSubstr("total_commands_processed:1\r\n")));
  EXPECT_THAT(ask("INFO commandstats"), AllOf(HasSubstr("cmdstat_config|resetstat:calls=1,"),
                                              Not(HasSubstr("cmdstat_get:"))));
  EXPECT_GT(state_.sum(&Counters::commands), before);
}

// ---- INFO. ----

TEST_F(SessionOperates, InfoCountsCallsRejectionsAndFailures) {
  ask("SET tag:a x");
  ask("GET tag:a");
  ask("GET");
  ask("INCR tag:a");

  const std::string info = ask("INFO commandstats");

  EXPECT_THAT(info, HasSubstr("cmdstat_get:calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,"
                              "failed_calls=0\r\n"));
  EXPECT_THAT(info, HasSubstr("cmdstat_incr:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,"
                              "failed_calls=1\r\n"));
}

TEST_F(SessionOperates, InfoCountsACommandThatWaitsForALoadOnce) {
  ask("GET product:1");
  EXPECT_EQ(ask("TTL product:1"), "");
  source_->succeed(0);
  collect();

  EXPECT_THAT(ask("INFO commandstats"), HasSubstr("cmdstat_ttl:calls=1,"));
}

TEST_F(SessionOperates, InfoCountsWhatATransactionDidAndNotWhatItDidNot) {
  ask("SET tag:a x");
  for (const char* each : {"MULTI", "INCR tag:a", "EXEC", "MULTI", "INCR tag:a", "DISCARD"}) {
    ask(each);
  }

  EXPECT_THAT(ask("INFO commandstats"),
              AllOf(HasSubstr("cmdstat_incr:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,"
                              "failed_calls=1\r\n"),
                    HasSubstr("cmdstat_exec:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,"
                              "failed_calls=0\r\n")));
}

TEST_F(SessionOperates, InfoTellsPercentilesOfWhatCommandsTook) {
  ask("SET tag:a x");

  EXPECT_THAT(ask("INFO latencystats"),
              HasSubstr("# Latencystats\r\nlatency_percentiles_usec_set:p50=1.031,p99=1.031,"
                        "p99.9=1.031\r\n"));
}

TEST_F(SessionOperates, InfoCountsEachSubcommandByItself) {
  ask("CLIENT SETNAME shop");
  ask("CLIENT NOSUCH");
  ask("CLIENT ID x");

  EXPECT_THAT(ask("INFO commandstats"),
              AllOf(HasSubstr("cmdstat_client|setname:calls=1,"),
                    HasSubstr("cmdstat_client|id:calls=0,usec=0,usec_per_call=0.00,"
                              "rejected_calls=1,failed_calls=0\r\n"),
                    Not(HasSubstr("cmdstat_client:"))));
}

TEST_F(SessionOperates, LatencyHistogramTellsOfWhatWasCarriedOut) {
  ask("SET tag:a x");
  ask("GET");
  ask("CLIENT ID");
  ask("CLIENT SETNAME shop");

  EXPECT_EQ(ask("LATENCY HISTOGRAM SET get nosuch"),
            "*2\r\n$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n"
            "*2\r\n:1\r\n:1\r\n");
  EXPECT_THAT(ask("LATENCY HISTOGRAM client"),
              AllOf(StartsWith("*4\r\n"), HasSubstr("client|id"), HasSubstr("client|setname")));
}

TEST_F(SessionOperates, InfoCountsErrorsByTheirPrefix) {
  ask("NOSUCH");
  ask("SET product:1 x");
  ask("GET product:1");
  source_->fail(0, "no such table");
  EXPECT_THAT(collect(), StartsWith("-SOURCE "));

  EXPECT_THAT(ask("INFO errorstats"), AllOf(HasSubstr("errorstat_ERR:count=1\r\n"),
                                            HasSubstr("errorstat_REFUSED:count=1\r\n"),
                                            HasSubstr("errorstat_SOURCE:count=1\r\n")));
}

TEST_F(SessionOperates, InfoTellsHowLongCopiesLive) {
  ask("SET tag:a x EX 100");
  ask("SET tag:b x EX 200");

  EXPECT_THAT(ask("INFO keyspace"), HasSubstr("db0:keys=2,expires=2,avg_ttl=150000\r\n"));
}

TEST_F(SessionOperates, InfoTellsTheRateSinceTheLastLook) {
  for (int i = 0; i < 100; ++i) ask("PING");
  clock_.advance(10s);

  EXPECT_THAT(ask("INFO stats"), HasSubstr("instantaneous_ops_per_sec:10\r\n"));
}

TEST_F(SessionOperates, InfoTakesSections) {
  EXPECT_THAT(
      ask("INFO server KEYSPACE"),
      AllOf(HasSubstr("# Server\r\n"), HasSubstr("# Keyspace\r\n"), Not(HasSubstr("# Stats\r\n"))));
  for (const char* each : {"INFO everything", "INFO all"}) {
    EXPECT_THAT(ask(each), AllOf(HasSubstr("# Commandstats\r\n"), HasSubstr("# Errorstats\r\n"),
                                 HasSubstr("# Cluster\r\n")));
  }
  EXPECT_THAT(ask("INFO default"), Not(HasSubstr("# Commandstats\r\n")));
  EXPECT_EQ(ask("INFO nothing"), "$0\r\n\r\n");
}

// ---- What took long. ----

TEST_F(SessionOperates, TheSlowLogIsEmptyWhenNothingIsSlow) {
  ask("GET tag:a");

  EXPECT_EQ(ask("SLOWLOG LEN"), ":0\r\n");
  EXPECT_EQ(ask("SLOWLOG GET"), "*0\r\n");
  EXPECT_EQ(ask("LATENCY LATEST"), "*0\r\n");
  EXPECT_EQ(ask("LATENCY HISTORY command"), "*0\r\n");
  EXPECT_EQ(ask("LATENCY RESET"), ":0\r\n");
  EXPECT_THAT(ask("LATENCY DOCTOR"), HasSubstr("No command took longer than"));
}

TEST_F(SessionOperates, TheSlowLogRefusesWhatRedisRefuses) {
  EXPECT_EQ(ask("SLOWLOG GET -2"), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(ask("SLOWLOG GET x"), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(
      ask("SLOWLOG GET 1 2"),
      "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n");
}

// Every command is slower than nothing.
class SessionOfSlowCommands : public SessionOperates {
 protected:
  SessionOfSlowCommands() : SessionOperates{{.slowlog_slower_than = 0ms, .slowlog_entries = 3}} {}
};

TEST_F(SessionOfSlowCommands, AreKeptWithTheirWordsAndClient) {
  ask("CLIENT SETNAME shop");
  ask("GET tag:a");

  const std::string log = ask("SLOWLOG GET 1");

  EXPECT_THAT(log, StartsWith("*1\r\n*6\r\n:1\r\n:"));
  EXPECT_THAT(log,
              HasSubstr("\r\n:0\r\n*2\r\n$3\r\nGET\r\n$5\r\ntag:a\r\n$0\r\n\r\n$4\r\nshop\r\n"));
}

TEST_F(SessionOfSlowCommands, AreAtMostSoManyAsTheSettingsSay) {
  for (int i = 0; i < 10; ++i) ask("PING");

  EXPECT_EQ(ask("SLOWLOG LEN"), ":3\r\n");
  EXPECT_EQ(ask("SLOWLOG RESET"), "+OK\r\n");
  EXPECT_THAT(ask("SLOWLOG GET -1"), AllOf(StartsWith("*1\r\n"), HasSubstr("SLOWLOG")));
}

TEST_F(SessionOfSlowCommands, OfATransactionAreItsCommands) {
  ask("MULTI");
  ask("SET tag:a x");
  ask("SLOWLOG RESET");
  ask("GET tag:a");
  ask("EXEC");

  EXPECT_THAT(ask("SLOWLOG GET"), AllOf(HasSubstr("GET\r\n"), Not(HasSubstr("EXEC\r\n"))));
}

TEST_F(SessionOfSlowCommands, ShowNoPasswords) {
  ask("AUTH default hunter2");
  ask("AUTH hunter2");
  ask("HELLO 2 AUTH default hunter2 SETNAME shop");

  EXPECT_THAT(ask("SLOWLOG GET -1"),
              AllOf(HasSubstr("AUTH"), HasSubstr("(redacted)"), Not(HasSubstr("hunter2"))));
}

TEST_F(SessionOfSlowCommands, ShowInLatencyToo) {
  ask("PING");

  EXPECT_THAT(ask("LATENCY LATEST"), StartsWith("*1\r\n*4\r\n$7\r\ncommand\r\n:"));
  EXPECT_THAT(ask("LATENCY HISTORY command"), Not(StartsWith("*0")));
  EXPECT_EQ(ask("LATENCY HISTORY other"), "*0\r\n");
  EXPECT_EQ(ask("LATENCY RESET other"), ":0\r\n");
  EXPECT_EQ(ask("LATENCY RESET command"), ":1\r\n");
  EXPECT_THAT(ask("LATENCY DOCTOR"), HasSubstr("SLOWLOG GET tells which"));
}

TEST_F(SessionOfSlowCommands, MakeAPicture) {
  EXPECT_EQ(ask("LATENCY GRAPH other"), "-ERR No samples available for event 'other'\r\n");
  ask("PING");

  EXPECT_THAT(ask("LATENCY GRAPH command"),
              HasSubstr("command - high 0 ms, low 0 ms (all time high 0 ms)\n-----"));
}

class SessionWithoutSlowLog : public SessionOperates {
 protected:
  SessionWithoutSlowLog() : SessionOperates{{.slowlog_slower_than = 0ms, .slowlog_entries = 0}} {}
};

TEST_F(SessionWithoutSlowLog, KeepsNone) {
  ask("PING");

  EXPECT_EQ(ask("SLOWLOG LEN"), ":0\r\n");
}

}  // namespace
}  // namespace larder::test
