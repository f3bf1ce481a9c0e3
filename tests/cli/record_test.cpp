#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <set>
#include <sstream>
#include <thread>

#include "cli/run_larder.hpp"
#include "redis/redis_server.hpp"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

constexpr std::string_view kMonitored =
    "OK\n"
    "100.5 [0 127.0.0.1:6000] \"GET\" \"product:1\"\n"
    "101.0 [0 127.0.0.1:6000] \"SET\" \"product:1\" \"teapot\"\n"
    "102.0 [0 127.0.0.1:6001] \"MGET\" \"product:2\" \"product:1\"\n"
    "102.5 [0 127.0.0.1:6001] \"get\" \"product:3\"\n";

TEST(Record, WritesALineForEachReadAndTheSameForTheSameKey) {
  const test::Ran ran = test::run_larder({"record"}, kMonitored);

  EXPECT_EQ(ran.exit_code, 0);
  const auto keys = lines_of(ran.out);
  ASSERT_THAT(keys, SizeIs(4));
  EXPECT_EQ(keys[0], keys[2]);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_NE(keys[0], keys[3]);
  EXPECT_EQ(ran.err, "larder: 4 of 4 reads recorded; for --ttl, simulate with --rate 2\n");
}

TEST(Record, GivesATraceThatSimulateReads) {
  const test::Ran recorded = test::run_larder({"record"}, kMonitored);

  const test::Ran simulated = test::run_larder(
      {"simulate", "-", "--policy", "lru", "--capacity", "3", "--csv"}, recorded.out);

  EXPECT_THAT(simulated.out, HasSubstr("lru,3,0.250000,0.250000"));
}

TEST(Record, KeepsAllReadsOfAShareOfTheKeys) {
  std::string monitored;
  for (int i = 0; i < 600; ++i) {
    monitored += std::to_string(i) + " [0 a] \"GET\" \"k" + std::to_string(i % 200) + "\"\n";
  }

  const test::Ran ran = test::run_larder({"record", "--sample", "0.25"}, monitored);

  const auto keys = lines_of(ran.out);
  const std::set<std::string> different{keys.begin(), keys.end()};
  EXPECT_NEAR(static_cast<double>(different.size()), 50, 25);
  EXPECT_EQ(keys.size(), 3 * different.size());
  EXPECT_THAT(ran.err, HasSubstr("a share of 0.25 of the keys"));
}

TEST(Record, EndsWhenEnoughWasRecorded) {
  const test::Ran ran = test::run_larder({"record", "--count", "2"}, kMonitored);

  EXPECT_THAT(lines_of(ran.out), SizeIs(2));
}

TEST(Record, SaysWhatToGiveItWhenThereIsNoMonitorInIt) {
  const test::Ran ran = test::run_larder({"record"}, "NOAUTH Authentication required.\n");

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("redis-cli -p 6380 MONITOR | larder record"));
}

// Of a SET of a large value, the value is not needed.
TEST(Record, PassesOverALineThatIsLongerThanItKeeps) {
  const std::string command =
      "{ printf '1.5 [0 a] \"SET\" \"k\" \"'; head -c 3000000 /dev/zero | tr '\\0' x; "
      "printf '\"\\n2.5 [0 a] \"GET\" \"k\"\\n'; } | " LARDER_PROGRAM " record";
  FILE* const pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 256> bytes{};
  while (std::fgets(bytes.data(), bytes.size(), pipe) != nullptr) out += bytes.data();

  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_THAT(lines_of(out), SizeIs(1));
}

TEST(Record, ReadsABeginningThatIsNoMonitorAndALastLineWithoutItsEnd) {
  const test::Ran ran = test::run_larder(
      {"record"}, std::string_view{"\0\xFF\n\n1.5 [0 a] \"GET\" \"k\"", 23});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(lines_of(ran.out), SizeIs(1));
}

TEST(Record, RefusesAShareThatIsNone) {
  EXPECT_EQ(test::run_larder({"record", "--sample", "0"}).exit_code, 2);
}

TEST(Record, UnderstandsWhatRedisCliShowsOfAServer) {
  if (!test::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  const test::RedisServer server;
  const std::string command = "redis-cli -p " + std::to_string(server.port()) +
                              " MONITOR | " LARDER_PROGRAM " record --count 4 2>&1";
  std::string out;
  std::atomic<bool> ended{false};

  std::jthread recorder{[&] {
    FILE* const pipe = popen(command.c_str(), "r");
    std::array<char, 256> bytes{};
    while (std::fgets(bytes.data(), bytes.size(), pipe) != nullptr) out += bytes.data();
    pclose(pipe);  // waits for redis-cli too, which ends at a command that it cannot show
    ended = true;
  }};
  while (!ended) (void)server.ask({"MGET", "two words", "\"quoted\"\r\n"});
  recorder.join();

  const auto lines = lines_of(out);
  ASSERT_GE(lines.size(), 5U) << out;
  EXPECT_EQ(lines[0], lines[2]);
  EXPECT_EQ(lines[1], lines[3]);
  EXPECT_NE(lines[0], lines[1]);
}

}  // namespace
}  // namespace larder
