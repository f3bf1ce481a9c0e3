// larder beside Debian's redis-server: the same random commands to both, the
// replies compared. What differs on purpose stands in differences.cpp.
//
// LARDER_SEED and LARDER_COMMANDS choose the commands and how many there are; a
// failure prints both and the commands that led to it.
#include <gmock/gmock.h>
#include <spdlog/sinks/null_sink.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "cache/keyspace.hpp"
#include "demo/child.hpp"
#include "larder/runtime.hpp"
#include "server/differential/commands.hpp"
#include "server/differential/differences.hpp"
#include "server/differential/peer.hpp"
#include "server/server.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using resp::Reply;

constexpr std::chrono::seconds kLife{100'000};  // of a key without another; see differences.cpp
constexpr std::size_t kMostBytes = 1 << 20;     // of a value

std::optional<std::filesystem::path> find_program(std::string_view name) {
  std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
  for (std::string folder; std::getline(path, folder, ':');) {
    const auto program = std::filesystem::path{folder} / name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

// Debian's redis-server on a socket in a directory of its own.
class Redis {
 public:
  explicit Redis(const std::filesystem::path& program)
      : directory_{make_directory()}, child_{start(program, directory_)} {}
  ~Redis() {
    child_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Waits until it answers.
  [[nodiscard]] Peer connect() {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    for (;;) {
      try {
        Peer peer = Peer::to_socket(directory_ / "socket");
        if (peer.ask({"PING"}).text == "PONG") return peer;
      } catch (const std::system_error&) {
        if (std::chrono::steady_clock::now() > deadline || child_->wait(20ms)) throw;
      }
    }
  }

 private:
  static std::filesystem::path make_directory() {
    std::string name = std::filesystem::temp_directory_path() / "larder-redis-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    return name;
  }
  static std::optional<demo::Child> start(const std::filesystem::path& program,
                                          const std::filesystem::path& directory) {
    auto child = demo::Child::start(program,
                                    {"--port", "0", "--unixsocket", directory / "socket", "--save",
                                     "", "--appendonly", "no", "--databases", "1", "--dir",
                                     directory, "--proto-max-bulk-len", std::to_string(kMostBytes)},
                                    directory / "log");
    if (!child) throw std::runtime_error{child.error().message};
    return std::move(*child);
  }

  const std::filesystem::path directory_;
  std::optional<demo::Child> child_;
};

// larder, whose one cache takes every key.
class Larder {
 public:
  Larder()
      : keyspace_{runtime_, {.capacity = {256 << 20}}, caches()},
        server_{Server::start(runtime_, keyspace_,
                              {.port = 0, .limits = {.max_value = {kMostBytes}}},
                              std::make_shared<spdlog::logger>(
                                  "test", std::make_shared<spdlog::sinks::null_sink_mt>()))
                    .value()} {}

  [[nodiscard]] Peer connect() { return Peer::to_port(server_->port()); }

 private:
  static std::vector<KeyspaceCache> caches() {
    std::vector<KeyspaceCache> all;
    all.push_back({KeyPattern::parse("{key}").value(), {.name = "any", .ttl = kLife, .jitter = 0}});
    return all;
  }

  Runtime runtime_{{.io_threads = 2, .blocking_threads = 1}};
  Keyspace keyspace_;
  std::unique_ptr<Server> server_;
};

// One client of both servers.
//
// A key without a time to live has its cache's in larder. So that both servers
// stay in the same state, Redis's keys are given the same after each command,
// within a transaction, too.
class Client {
 public:
  Client(Peer redis, Peer larder) : redis_{std::move(redis)}, larder_{std::move(larder)} {}

  // The two replies to a command.
  std::pair<Reply, Reply> ask(const Words& words) {
    std::vector<Words> to_redis{words};
    for (const std::string& key : RandomCommands::keys()) {
      to_redis.push_back({"EXPIRE", key, std::to_string(kLife.count()), "NX"});
    }
    const std::vector<Reply> replies = redis_.ask(to_redis);
    Reply redis = replies[0];
    const bool queueing = replies[1].text == "QUEUED";
    done_.clear();
    if (!queueing) {
      if (redis.kind == Reply::Kind::kArray) take_done(redis);
      queued_.clear();
    } else if (redis.text == "QUEUED") {
      queued_.push_back(words);
    }
    if (queueing) queued_.resize(queued_.size() + RandomCommands::keys().size());
    return {std::move(redis), larder_.ask(words)};
  }

  // The commands whose replies EXEC brought, if it was the last command.
  [[nodiscard]] const std::vector<Words>& done() const { return done_; }

  // All keys that a walk with SCAN finds, in both servers.
  std::pair<std::set<std::string>, std::set<std::string>> walk(const std::string& count) {
    return {walk(redis_, count), walk(larder_, count)};
  }

 private:
  static std::set<std::string> walk(Peer& peer, const std::string& count) {
    std::set<std::string> keys;
    std::string cursor = "0";
    do {
      const Reply reply = peer.ask({"SCAN", cursor, "COUNT", count});
      cursor = reply.items.at(0).text;
      for (const Reply& key : reply.items.at(1).items) keys.insert(key.text);
    } while (cursor != "0");
    return keys;
  }

  // Leaves of EXEC's replies those to commands that were sent to both.
  void take_done(Reply& exec) {
    if (queued_.size() != exec.items.size()) return;
    std::vector<Reply> items;
    for (std::size_t i = 0; i < queued_.size(); ++i) {
      if (queued_[i].empty()) continue;
      done_.push_back(std::move(queued_[i]));
      items.push_back(std::move(exec.items[i]));
    }
    exec.items = std::move(items);
  }

  Peer redis_;
  Peer larder_;
  std::vector<Words> queued_;  // since MULTI; those to Redis alone are empty
  std::vector<Words> done_;
};

// Whether all is the same, or why it is not is known.
bool agree(const Client& client, const Words& words, const Reply& redis, const Reply& larder) {
  const std::vector<Words>& done = client.done();
  const bool transaction = redis.kind == Reply::Kind::kArray && same_word(words[0], "exec");
  if (!transaction) return explained(words, redis, larder);
  if (larder.kind != redis.kind || larder.items.size() != redis.items.size()) return false;
  for (std::size_t i = 0; i < redis.items.size(); ++i) {
    if (!explained(done.at(i), redis.items[i], larder.items[i])) return false;
  }
  return true;
}

// What `program --version` prints.
std::string version_of(const std::filesystem::path& program) {
  std::string text(256, '\0');
  FILE* const pipe = ::popen((program.string() + " --version").c_str(), "r");
  if (pipe == nullptr) return "unknown";
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ::pclose(pipe);
  return text;
}

class Differential : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto program = find_program("redis-server");
    if (!program) GTEST_SKIP() << "redis-server is not installed: apt-get install redis-server";
    // Later versions answer some commands otherwise; larder says that it is 7.0.
    const std::string version = version_of(*program);
    if (version.find("v=7.0.") == std::string::npos) GTEST_SKIP() << "not Redis 7.0: " << version;
    redis_.emplace(*program);
    for (int i = 0; i < 2; ++i) clients_.emplace_back(redis_->connect(), larder_.connect());
  }

  // Sends a step to both; whether they agree.
  bool agree_on(const Step& step) {
    Client& client = clients_[static_cast<std::size_t>(step.client)];
    const auto [redis, larder] = client.ask(step.words);
    trace_.push_back(std::to_string(step.client) + "> " + shown(step.words) + "\n   redis  " +
                     shown(redis) + "\n   larder " + shown(larder) + "\n");
    if (trace_.size() > 40) trace_.pop_front();
    return agree(client, step.words, redis, larder);
  }

  void compare(std::uint64_t seed, std::size_t commands) {
    RandomCommands random{seed};
    std::size_t done = 0;
    while (done < commands) {
      for (const Step& step : random.next()) {
        ++done;
        ASSERT_TRUE(agree_on(step)) << "LARDER_SEED=" << seed << ", command " << done << "\n"
                                    << trace();
      }
      if (done % 100 == 0) {
        const auto [redis, larder] = clients_[0].walk(done % 200 == 0 ? "3" : "1000");
        ASSERT_EQ(redis, larder) << "LARDER_SEED=" << seed << ", command " << done << "\n"
                                 << trace();
      }
    }
    std::cout << "compared " << done << " commands, LARDER_SEED=" << seed << "\n";
  }

 private:
  [[nodiscard]] std::string trace() const {
    std::string text;
    for (const std::string& line : trace_) text += line;
    return text;
  }

  std::optional<Redis> redis_;
  Larder larder_;
  std::vector<Client> clients_;
  std::deque<std::string> trace_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST_F(Differential, RandomCommandsAnswerAsRedisDoes) {
  compare(from_environment("LARDER_SEED", 1), from_environment("LARDER_COMMANDS", 20'000));
}

// The page's table, as it should read.
std::string table_of_differences() {
  std::string table = "| larder | because |\n| --- | --- |\n";
  for (const Difference& each : differences()) {
    table += "| " + std::string{each.what} + " | " + std::string{each.why} + " |\n";
  }
  return table;
}

TEST(Differences, ThePageListsThemAll) {
  std::ifstream file{LARDER_PROTOCOL_PAGE};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};

  EXPECT_THAT(page, ::testing::HasSubstr("\n" + table_of_differences() + "\n"));
}

}  // namespace
}  // namespace larder::test
