// Clients as people have them: Debian's redis-cli and redis-benchmark, redis-py, and
// Node's libraries. A client that is not installed is skipped, and says so.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output and error, as they came
};

// Calls on_line() with each line as it comes.
Ran run(
    const std::string& command,
    const std::function<void(std::string_view)>& on_line = [](std::string_view) {}) {
  FILE* const pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"cannot run " + command};
  Ran ran;
  std::array<char, 4096> bytes{};
  while (::fgets(bytes.data(), bytes.size(), pipe) != nullptr) {
    ran.output += bytes.data();
    on_line(bytes.data());
  }
  const int status = ::pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

bool installed(const std::string& program) { return run("command -v " + program).exit_code == 0; }

class Clients : public ::testing::Test {
 protected:
  [[nodiscard]] std::string port() { return std::to_string(server_.larder().port()); }

  // Runs a program that asks for a restart of the server when it is ready for one.
  Ran run_through_a_restart(const std::string& program) {
    take_a_port_of_our_own();
    const std::uint16_t port = server_.larder().port();
    return run(program + " " + std::to_string(port), [&](std::string_view line) {
      if (line == "restart me\n") server_.start(port);
    });
  }

  ShopServer server_;

 private:
  // One that the system gives to nobody who asks for any, so that it is free again
  // after the server's end.
  void take_a_port_of_our_own() {
    std::random_device random;
    for (int tries = 1;; ++tries) {
      try {
        return server_.start(static_cast<std::uint16_t>(10'000 + random() % 20'000));
      } catch (const std::runtime_error&) {
        if (tries == 20) throw;
      }
    }
  }
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

// redis-cli's own tour of a server.
class RedisCliTour : public RedisCli {
 protected:
  void SetUp() override {
    RedisCli::SetUp();
    for (std::size_t i = 1; i <= 100; ++i) {
      cli("SET tag:" + std::to_string(i) + " " + std::string(i, 'x'));
    }
  }
};

TEST_F(RedisCliTour, Scan) {
  const std::string keys = cli("--scan --pattern 'tag:*'");

  EXPECT_EQ(std::ranges::count(keys, '\n'), 100);
}

TEST_F(RedisCliTour, BigKeys) {
  EXPECT_THAT(cli("--bigkeys"),
              AllOf(HasSubstr("Sampled 100 keys"), ContainsRegex("\"tag:100\"'? has 100 bytes"),
                    HasSubstr("100 strings with 5050 bytes")));
}

TEST_F(RedisCliTour, MemKeys) {
  EXPECT_THAT(cli("--memkeys"),
              AllOf(HasSubstr("Sampled 100 keys"), HasSubstr("Biggest string found")));
}

TEST_F(RedisCliTour, HotKeys) {
  EXPECT_THAT(cli("--hotkeys"), AllOf(HasSubstr("Sampled 100 keys"), Not(HasSubstr("ERR"))));
}

TEST_F(RedisCliTour, Stat) {
  const std::string lines =
      run("timeout 2 stdbuf -oL redis-cli -p " + port() + " --stat -i 0.1").output;

  EXPECT_THAT(lines, AllOf(HasSubstr("keys"), HasSubstr("\n100 "), Not(HasSubstr("ERR"))));
}

TEST_F(RedisCliTour, Latency) {
  // In CSV it prints minimum, maximum, average and count after a second, and ends.
  EXPECT_THAT(cli("--csv --latency"), MatchesRegex("[0-9]+,[0-9]+,[0-9.]+,[0-9]+\n"));
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

TEST_F(Clients, RedisBenchmarkRunsItsOwnTests) {
  if (!installed("redis-benchmark")) GTEST_SKIP() << "redis-benchmark is not installed";
  const TemporaryDirectory directory;
  RunningLarder larder{directory.file(""), "[caches.all]\nkey = \"{name}\"\n"};

  const Ran ran = run("redis-benchmark -p " + std::to_string(larder.port()) +
                      " -t set,get,incr,mset -P 16 -r 1000 -n 20000 --csv");

  EXPECT_THAT(ran.output, AllOf(HasSubstr("\"SET\""), HasSubstr("\"GET\""), HasSubstr("\"INCR\""),
                                HasSubstr("\"MSET (10 keys)\""), Not(HasSubstr("rror"))));
}

class Node : public Clients {
 protected:
  void SetUp() override {
    if (!installed("node") || !installed("npm")) GTEST_SKIP() << "node and npm are not installed";
    // Into the build tree, by one test at a time, as the lock file says.
    const Ran install = run("mkdir -p " LARDER_NODE_DIRECTORY " && cd " LARDER_NODE_DIRECTORY
                            " && flock . sh -c 'cmp -s " LARDER_CLIENTS
                            "/package-lock.json installed.json || { cp " LARDER_CLIENTS
                            "/package*.json . && npm ci --no-audit --no-fund --ignore-scripts && "
                            "cp package-lock.json installed.json; }'");
    if (install.exit_code != 0) GTEST_SKIP() << "npm could not install: " << install.output;
  }
  Ran node(const std::string& script) {
    return run_through_a_restart("cp " LARDER_CLIENTS "/" + script +
                                 " " LARDER_NODE_DIRECTORY " && node " LARDER_NODE_DIRECTORY "/" +
                                 script);
  }
};

TEST_F(Clients, DebiansNodeRedisTalksToIt) {
  if (!installed("node") || run("test -d /usr/share/nodejs/redis").exit_code != 0) {
    GTEST_SKIP() << "node-redis is not installed";
  }

  // Modules are looked for beside the script, and from there on by NODE_PATH. Debian 12's
  // 4.5 now and then connects twice after a restart and mixes up the replies of both, so
  // it stays; the test of npm's goes through one.
  const Ran ran = run("mkdir -p " LARDER_NODE_DIRECTORY "-debian && cd " LARDER_NODE_DIRECTORY
                      "-debian && ln -sfn /usr/share/nodejs node_modules && cp " LARDER_CLIENTS
                      "/node_redis.mjs . && NODE_PATH=/usr/share/nodejs node node_redis.mjs " +
                      port() + " stay");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, NodeRedisTalksToIt) {
  const Ran ran = node("node_redis.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, NodeRedisTalksToItInResp3) {
  const Ran ran = node("node_redis_resp3.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, NodeRedissOwnCacheStaysTrue) {
  const Ran ran = node("node_redis_cache.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

TEST_F(Node, IoredisTalksToIt) {
  const Ran ran = node("ioredis.mjs");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

class Python : public Clients {
 protected:
  void SetUp() override {
    // Debian's, which has Debian's modules.
    if (run("/usr/bin/python3 -c 'import redis'").exit_code != 0) {
      GTEST_SKIP() << "redis-py is not installed (python3-redis)";
    }
  }
};

TEST_F(Python, RedisPyTalksToIt) {
  const Ran ran = run_through_a_restart("/usr/bin/python3 -B " LARDER_CLIENTS "/redis_py.py");

  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("all well\n"));
}

// What the example prints, over a larder of its own, is what it says that it prints.
void expect_example(const std::string& name) {
  const std::string example = LARDER_CLIENTS "/../../examples/" + name;
  const TemporaryDirectory directory;
  RunningLarder larder{directory.file(""), run("cat " + example + "/larder.toml").output};

  const Ran ran =
      run("/usr/bin/python3 -B " + example + "/main.py " + std::to_string(larder.port()));

  EXPECT_EQ(ran.output, run("cat " + example + "/expected.txt").output);
}

TEST_F(Python, TheCacheAsideExampleRunsAsItDoesOnRedis) { expect_example("python_cache_aside"); }

TEST_F(Python, TheLeaseExampleLoadsOnceAndKeepsNothingOlder) { expect_example("python_lease"); }

}  // namespace
}  // namespace larder::test
