// Clients as people have them: Debian's redis-cli and redis-benchmark, and Node's
// libraries. A client that is not installed is skipped, and says so.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output and error, as they came
};

Ran run(const std::string& command) {
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"cannot run " + command};
  Ran ran;
  std::array<char, 4096> bytes{};
  while (const std::size_t got = ::fread(bytes.data(), 1, bytes.size(), pipe)) {
    ran.output.append(bytes.data(), got);
  }
  const int status = ::pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

bool installed(const std::string& program) { return run("command -v " + program).exit_code == 0; }

class Clients : public ::testing::Test {
 protected:
  [[nodiscard]] std::string port() { return std::to_string(server_.larder().port()); }

  ShopServer server_;
};

class RedisCli : public Clients {
 protected:
  void SetUp() override {
    if (!installed("redis-cli")) GTEST_SKIP() << "redis-cli is not installed (redis-tools)";
  }
  std::string cli(const std::string& words) {
    return run("redis-cli -p " + port() + " " + words).output;
  }
};

TEST_F(RedisCli, ReadsAndWrites) {
  EXPECT_EQ(cli("GET product:7"), ShopServer::product(7) + "\n");
  EXPECT_EQ(cli("SET tag:a hello EX 100"), "OK\n");
  EXPECT_EQ(cli("TTL tag:a"), "100\n");
  EXPECT_EQ(cli("MGET tag:a product:8 tag:b"), "hello\n" + ShopServer::product(8) + "\n\n");
}

TEST_F(RedisCli, SpeaksBothProtocols) {
  EXPECT_THAT(cli("-3 HELLO"), HasSubstr("proto 3"));
  EXPECT_THAT(cli("-3 LARDER EXPLAIN product:7"), HasSubstr("where nowhere"));
  EXPECT_THAT(cli("-2 LARDER EXPLAIN product:7"), HasSubstr("where\nnowhere\n"));
}

TEST_F(RedisCli, TellsErrorsAsTheyAre) {
  EXPECT_THAT(cli("GET product:abc"), HasSubstr("abc"));
  EXPECT_THAT(cli("HGETALL product:7"), HasSubstr("ERR unknown command 'HGETALL'"));
}

TEST_F(RedisCli, PipesManyCommands) {
  EXPECT_THAT(run("for i in $(seq 1000); do echo \"SET tag:$i v$i\"; done | redis-cli -p " +
                  port() + " --pipe")
                  .output,
              HasSubstr("errors: 0, replies: 1000"));
}

TEST_F(RedisCli, ItsInteractiveHelpFindsTheCommands) {
  EXPECT_THAT(cli("COMMAND DOCS larder"), HasSubstr("A container for what larder tells"));
}

TEST_F(Clients, RedisBenchmarkRuns) {
  if (!installed("redis-benchmark")) GTEST_SKIP() << "redis-benchmark is not installed";

  // Its keys are named by itself: a cache takes them all.
  const std::string benchmark = "redis-benchmark -p " + port() + " -n 20000 -c 20 --csv ";
  const Ran pings = run(benchmark + "-t ping");
  const Ran gets = run(benchmark + "-P 16 -r 1000 GET tag:__rand_int__");
  const Ran sets = run(benchmark + "-P 16 -r 1000 -d 100 SET tag:__rand_int__ value");

  EXPECT_THAT(pings.output, AllOf(HasSubstr("\"PING_MBULK\""), Not(HasSubstr("Error"))));
  EXPECT_THAT(gets.output, AllOf(HasSubstr("\"GET tag:"), Not(HasSubstr("Error"))));
  EXPECT_THAT(sets.output, AllOf(HasSubstr("\"SET tag:"), Not(HasSubstr("Error"))));
  EXPECT_GT(server_.larder().metric("larder_cache_hits_total{cache=\"tag\"}") +
                server_.larder().metric("larder_cache_misses_total{cache=\"tag\"}"),
            19'999);
}

class Node : public Clients {
 protected:
  void SetUp() override {
    if (!installed("node") || !installed("npm")) GTEST_SKIP() << "node and npm are not installed";
    // Into the build tree, by one test at a time, as the lock file says.
    const Ran install =
        run("mkdir -p " LARDER_NODE_DIRECTORY " && cd " LARDER_NODE_DIRECTORY
            " && flock . sh -c 'cmp -s package-lock.json installed.json || { cp " LARDER_CLIENTS
            "/package*.json . && npm ci --no-audit --no-fund --ignore-scripts && "
            "cp package-lock.json installed.json; }'");
    if (install.exit_code != 0) GTEST_SKIP() << "npm could not install: " << install.output;
  }
  Ran node(const std::string& script) {
    return run("cp " LARDER_CLIENTS "/" + script + " " LARDER_NODE_DIRECTORY " && node " +
               LARDER_NODE_DIRECTORY "/" + script + " " + port());
  }
};

TEST_F(Clients, DebiansNodeRedisTalksToIt) {
  if (!installed("node") || run("test -d /usr/share/nodejs/redis").exit_code != 0) {
    GTEST_SKIP() << "node-redis is not installed";
  }

  // Modules are looked for beside the script, and from there on by NODE_PATH.
  const Ran ran = run("mkdir -p " LARDER_NODE_DIRECTORY "-debian && cd " LARDER_NODE_DIRECTORY
                      "-debian && ln -sfn /usr/share/nodejs node_modules && cp " LARDER_CLIENTS
                      "/node_redis.mjs . && NODE_PATH=/usr/share/nodejs node node_redis.mjs " +
                      port());

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, NodeRedisTalksToIt) {
  const Ran ran = node("node_redis.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, IoredisTalksToIt) {
  const Ran ran = node("ioredis.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

}  // namespace
}  // namespace larder::test
