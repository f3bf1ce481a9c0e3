// larder beside Debian's redis-server: the same random commands to both, the
// replies compared. What differs on purpose stands in differences.cpp.
//
// LARDER_SEED and LARDER_COMMANDS choose the commands and how many there are; a
// failure prints both and the commands that led to it.
#include <gmock/gmock.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "server/differential/commands.hpp"
#include "server/differential/differences.hpp"
#include "server/differential/peer.hpp"
#include "server/differential/servers.hpp"

namespace larder::test {
namespace {

using resp::Reply;

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

class Differential : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Redis::missing(); !why.empty()) GTEST_SKIP() << why;
    redis_.emplace();
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
