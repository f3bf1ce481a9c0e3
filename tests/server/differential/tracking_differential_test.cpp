// CLIENT TRACKING of larder beside redis-server's: the same replies, and the same messages.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "server/differential/differences.hpp"
#include "server/differential/peer.hpp"
#include "server/differential/servers.hpp"

namespace larder::test {
namespace {

using resp::Reply;

// Two clients of one server: one keeps copies, the other changes things.
class Pair {
 public:
  Pair(Peer reader, Peer writer) : reader_{std::move(reader)}, writer_{std::move(writer)} {
    ask(reader_, {"HELLO", "3"});
    heard_.clear();
  }

  Reply reader(const Words& words) { return ask(reader_, words); }
  Reply writer(const Words& words) { return writer_.ask(words); }

  // What the reader was told up to now, in any order. Whoever was told before the first echo
  // hears it before the second.
  std::vector<std::string> heard() {
    for (const char* mark : {"first mark", "second mark"}) ask(reader_, {"ECHO", mark});
    std::vector<std::string> all = std::exchange(heard_, {});
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());  // Redis tells at its leisure
    return all;
  }

 private:
  Reply ask(Peer& peer, const Words& words) {
    Reply reply = peer.ask(words);
    while (reply.kind == Reply::Kind::kPush) {
      note(reply);
      reply = peer.next();
    }
    return reply;
  }
  // One line for each key: servers may tell of several together.
  void note(const Reply& push) {
    if (push.items.at(0).text != "invalidate" || push.items.at(1).items.empty()) {
      heard_.push_back(shown(push));
      return;
    }
    for (const Reply& key : push.items.at(1).items) heard_.push_back(key.text);
  }

  Peer reader_;
  Peer writer_;
  std::vector<std::string> heard_;
};

struct Step {
  bool reads;  // by who keeps copies
  Words words;
};

class TrackingDifferential : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Redis::missing(); !why.empty()) GTEST_SKIP() << why;
    redis_server_.emplace();
    redis_.emplace(redis_server_->connect(), redis_server_->connect());
    larder_.emplace(larder_server_.connect(), larder_server_.connect());
  }

  void compare(const Step& step, const std::string& where) {
    const auto [redis, larder] =
        step.reads ? std::pair{redis_->reader(step.words), larder_->reader(step.words)}
                   : std::pair{redis_->writer(step.words), larder_->writer(step.words)};
    EXPECT_TRUE(explained(step.words, redis, larder)) << where << shown(step.words) << "\n"
                                                      << shown(redis) << "\n"
                                                      << shown(larder);
    EXPECT_EQ(larder_->heard(), redis_->heard()) << where << shown(step.words);
  }

  std::optional<Redis> redis_server_;
  Larder larder_server_;
  std::optional<Pair> redis_;
  std::optional<Pair> larder_;
};

TEST_F(TrackingDifferential, OptionsAreTakenAndRefusedAlike) {
  for (const Words& words :
       std::vector<Words>{{"CLIENT", "TRACKINGINFO"},
                          {"CLIENT", "TRACKING", "ON", "PREFIX", "a"},
                          {"CLIENT", "TRACKING", "ON", "REDIRECT", "99999"},
                          {"CLIENT", "TRACKING", "ON", "REDIRECT", "x"},
                          {"CLIENT", "TRACKING", "ON", "REDIRECT"},
                          {"CLIENT", "TRACKING", "ON", "BCAST", "OPTIN"},
                          {"CLIENT", "TRACKING", "ON", "OPTIN", "OPTOUT"},
                          {"CLIENT", "TRACKING", "ON", "NONSENSE"},
                          {"CLIENT", "TRACKING", "MAYBE"},
                          {"CLIENT", "TRACKING", "OFF", "BCAST"},
                          {"CLIENT", "CACHING", "YES"},
                          {"CLIENT", "TRACKING", "ON", "OPTIN"},
                          {"CLIENT", "CACHING", "NO"},
                          {"CLIENT", "CACHING", "MAYBE"},
                          {"CLIENT", "CACHING", "YES"},
                          {"CLIENT", "TRACKINGINFO"},
                          {"CLIENT", "TRACKING", "ON", "OPTOUT"},
                          {"CLIENT", "TRACKING", "ON", "BCAST"},
                          {"CLIENT", "TRACKING", "OFF"},
                          {"CLIENT", "TRACKING", "ON", "OPTOUT", "NOLOOP"},
                          {"CLIENT", "CACHING", "YES"},
                          {"CLIENT", "CACHING", "NO"},
                          {"CLIENT", "TRACKINGINFO"},
                          {"CLIENT", "GETREDIR"},
                          {"CLIENT", "TRACKING", "OFF"},
                          {"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ab", "PREFIX", "abc"},
                          {"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b", "PREFIX", "a"},
                          {"CLIENT", "TRACKINGINFO"},
                          {"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ax"},
                          {"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "c"},
                          {"CLIENT", "TRACKING", "ON", "BCAST"},
                          {"CLIENT", "TRACKINGINFO"},
                          {"CLIENT", "TRACKING", "ON"},
                          {"RESET"},
                          {"CLIENT", "GETREDIR"}}) {
    compare({true, words}, "");
  }
}

TEST_F(TrackingDifferential, RandomReadsAndWritesAreToldAlike) {
  // No DEL: larder tells also of what was not there; see docs/redis-protocol.md.
  const std::vector<Words> reads{{"GET", "a"},
                                 {"MGET", "a", "b", "c"},
                                 {"EXISTS", "b"},
                                 {"TTL", "c"},
                                 {"STRLEN", "a"},
                                 {"GETRANGE", "b", "0", "1"},
                                 {"TYPE", "ab"},
                                 {"GET", "ab"},
                                 {"CLIENT", "CACHING", "YES"},
                                 {"CLIENT", "CACHING", "NO"},
                                 {"PING"},
                                 {"SET", "a", "own"},
                                 {"INCR", "b"}};
  const std::vector<Words> writes{{"SET", "a", "1"},
                                  {"SET", "b", "1", "NX"},
                                  {"SET", "c", "1", "XX"},
                                  {"SET", "ab", "1"},
                                  {"APPEND", "a", "x"},
                                  {"INCR", "b"},
                                  {"EXPIRE", "a", "1000"},
                                  {"MSET", "a", "1", "b", "2", "ab", "3"},
                                  {"MSETNX", "x", "1"},
                                  {"GETSET", "c", "1"},
                                  {"SETRANGE", "c", "2", "x"},
                                  {"SET", "b", "1", "EX", "1000"},
                                  {"GET", "a"},
                                  {"FLUSHALL"},
                                  {"INCRBYFLOAT", "b", "1"}};
  const std::vector<Words> modes{
      {"CLIENT", "TRACKING", "ON"},
      {"CLIENT", "TRACKING", "ON", "NOLOOP"},
      {"CLIENT", "TRACKING", "ON", "OPTIN"},
      {"CLIENT", "TRACKING", "ON", "OPTOUT"},
      {"CLIENT", "TRACKING", "ON", "BCAST"},
      {"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "c", "NOLOOP"}};
  std::minstd_rand random{1};
  const auto any = [&](const std::vector<Words>& of) { return of[random() % of.size()]; };
  for (int round = 0; round < 24; ++round) {
    const Words& mode = modes[static_cast<std::size_t>(round) % modes.size()];
    compare({true, {"CLIENT", "TRACKING", "OFF"}}, "");
    compare({false, {"FLUSHALL"}}, "");
    compare({true, mode}, "");
    for (int i = 0; i < 100 && !HasFailure(); ++i) {
      const bool reads_now = random() % 2 == 0;
      const Words& words = reads_now ? any(reads) : any(writes);
      compare({reads_now, words}, shown(mode) + ", step " + std::to_string(i) + ": ");
    }
  }
}

}  // namespace
}  // namespace larder::test
