// What larder tells of itself beside what redis-server does: INFO, CONFIG, SLOWLOG,
// LATENCY and COMMAND, by their names and shapes, and by the numbers that must agree.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/differential/peer.hpp"
#include "server/differential/servers.hpp"

namespace larder::test {
namespace {

using resp::Reply;

const std::vector<Words>& commands() {
  static const std::vector<Words> all{{"SET", "a", "1"},
                                      {"GET", "a"},
                                      {"get", "b"},
                                      {"GET"},
                                      {"NOSUCH"},
                                      {"APPEND", "a", "x"},
                                      {"INCR", "a"},
                                      {"CLIENT", "SETNAME", "shop"},
                                      {"CLIENT", "ID"},
                                      {"CLIENT", "NOSUCH"},
                                      {"CLIENT"},
                                      {"CLIENT", "SETNAME", "a b"},
                                      {"OBJECT", "HELP"},
                                      {"COMMAND", "COUNT"},
                                      {"MULTI"},
                                      {"SET", "c", "1", "EX", "1000"},
                                      {"GET", "c"},
                                      {"EXEC"},
                                      {"MULTI"},
                                      {"INCR", "a"},
                                      {"EXEC"},
                                      {"MULTI"},
                                      {"STRLEN", "a"},
                                      {"DISCARD"},
                                      {"MULTI"},
                                      {"GET"},
                                      {"EXEC"},
                                      {"AUTH", "hunter2"},
                                      {"AUTH", "default", "hunter2"},
                                      {"MGET", "a", "b"},
                                      {"DEL", "b"},
                                      {"SETEX", "d", "0", "x"}};
  return all;
}

// What a line of INFO holds.
enum class Shape { kNumber, kFraction, kFields, kText };

Shape shape(std::string_view value) {
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::size_t point = value.find('.');
  if (digits(value)) return Shape::kNumber;
  if (point != std::string_view::npos && digits(value.substr(0, point)) &&
      digits(value.substr(point + 1))) {
    return Shape::kFraction;
  }
  return value.find('=') != std::string_view::npos ? Shape::kFields : Shape::kText;
}

// a=1,b=2 by name.
std::map<std::string, std::string> fields(std::string_view value) {
  std::map<std::string, std::string> all;
  while (!value.empty()) {
    const std::string_view field = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), field.size() + 1));
    const std::size_t equals = field.find('=');
    all.emplace(field.substr(0, equals), field.substr(equals + 1));
  }
  return all;
}

std::set<std::string> names(const std::map<std::string, std::string>& fields) {
  std::set<std::string> all;
  for (const auto& [name, value] : fields) all.insert(name);
  return all;
}

// The lines of INFO by section and name.
using Lines = std::map<std::string, std::map<std::string, std::string>>;

Lines info(Peer& peer, const Words& words) {
  Lines lines;
  std::string section;
  std::string_view text;
  const Reply reply = peer.ask(words);
  text = reply.text;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    const std::size_t colon = line.find(':');
    if (line.starts_with("# ")) {
      section = line.substr(2);
      lines[section];
    } else if (colon != std::string_view::npos) {
      lines[section].emplace(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  return lines;
}

class Told : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Redis::missing(); !why.empty()) GTEST_SKIP() << why;
    redis_server_.emplace();
    redis_.emplace(redis_server_->connect());
    larder_.emplace(larder_server_.connect());
    redis_->ask(Words{"CONFIG", "SET", "slowlog-log-slower-than", "0"});
    both({"CONFIG", "RESETSTAT"});
    both({"SLOWLOG", "RESET"});
    for (const Words& words : commands()) both(words);
    both({"INFO"});
  }

  std::pair<Reply, Reply> both(const Words& words) {
    return {redis_->ask(words), larder_->ask(words)};
  }

  std::optional<Redis> redis_server_;
  Larder larder_server_{{.max_value = {kMostBytes}, .slowlog_slower_than = Duration{}}};
  std::optional<Peer> redis_;
  std::optional<Peer> larder_;
};

TEST_F(Told, EveryLineOfInfoIsOneOfRedissWithTheSameShape) {
  // Names of larder's own; and sizes for people, which are written as in the configuration.
  const std::set<std::string> own{"larder_version", "io_threads"};
  const Lines of_redis = info(*redis_, {"INFO", "everything"});

  const Lines of_larder = info(*larder_, {"INFO", "everything"});

  for (const auto& [section, lines] : of_larder) {
    if (section == "Larder") continue;
    ASSERT_TRUE(of_redis.contains(section)) << section;
    for (const auto& [name, value] : lines) {
      if (own.contains(name) || name.ends_with("_human")) continue;
      const auto theirs = of_redis.at(section).find(name);
      ASSERT_NE(theirs, of_redis.at(section).end()) << section << ": " << name;
      EXPECT_EQ(shape(value), shape(theirs->second)) << name << ": " << value;
      if (shape(value) == Shape::kFields) {
        EXPECT_EQ(names(fields(value)), names(fields(theirs->second))) << name;
      }
    }
  }
}

TEST_F(Told, InfoCountsCommandsAndErrorsAsRedisDoes) {
  for (const std::string section : {"commandstats", "errorstats"}) {
    Lines of_redis = info(*redis_, {"INFO", section});
    Lines of_larder = info(*larder_, {"INFO", section});
    auto& redis = of_redis.begin()->second;
    auto& larder = of_larder.begin()->second;

    EXPECT_EQ(names(larder), names(redis));
    for (const auto& [name, value] : larder) {
      auto mine = fields(value);
      auto theirs = fields(redis[name]);
      for (const char* time : {"usec", "usec_per_call"}) {
        mine.erase(time);
        theirs.erase(time);
      }
      EXPECT_EQ(mine, theirs) << name;
    }
  }
}

TEST_F(Told, InfoHasTheTotalsOfRedis) {
  const Lines of_redis = info(*redis_, {"INFO", "stats"});

  const Lines of_larder = info(*larder_, {"INFO", "stats"});

  for (const char* each : {"total_commands_processed", "total_error_replies", "keyspace_hits",
                           "keyspace_misses", "expired_keys", "evicted_keys"}) {
    EXPECT_EQ(of_larder.at("Stats").at(each), of_redis.at("Stats").at(each)) << each;
  }
}

TEST_F(Told, InfoHasPercentilesOfTheSameCommands) {
  const Lines of_redis = info(*redis_, {"INFO", "latencystats"});

  const Lines of_larder = info(*larder_, {"INFO", "latencystats"});

  EXPECT_EQ(names(of_larder.at("Latencystats")), names(of_redis.at("Latencystats")));
}

// Libraries look for Redis's fields, all of them.
TEST_F(Told, AClientsLineHasTheFieldsOfRedisInItsOrder) {
  const auto [redis, larder] = both({"CLIENT", "INFO"});
  const auto names_of = [](const std::string& line) {
    std::vector<std::string> all;
    std::istringstream words{line};
    for (std::string word; words >> word;) all.push_back(word.substr(0, word.find('=')));
    return all;
  };
  std::vector<std::string> expected = names_of(redis.text);
  expected.insert(expected.end(), {"lib-name", "lib-ver"});  // from 7.2

  EXPECT_EQ(names_of(larder.text), expected);
}

TEST_F(Told, ConfigGetKnowsNoNameThatRedisDoesNotHaveWithThatShape) {
  const Reply all = larder_->ask(Words{"CONFIG", "GET", "*"});
  std::size_t compared = 0;

  for (std::size_t i = 0; i + 1 < all.items.size(); i += 2) {
    const std::string& name = all.items[i].text;
    if (name.find('.') != std::string::npos) continue;  // larder's own
    const Reply theirs = redis_->ask(Words{"CONFIG", "GET", name});
    ASSERT_EQ(theirs.items.size(), 2U) << name;
    EXPECT_EQ(theirs.items[0].text, name);
    EXPECT_EQ(shape(all.items[i + 1].text), shape(theirs.items[1].text)) << name;
    ++compared;
  }

  EXPECT_GT(compared, 5U);
}

TEST_F(Told, TheSlowLogHasTheSameEntries) {
  const auto [redis, larder] = both({"SLOWLOG", "GET", "-1"});

  ASSERT_EQ(larder.items.size(), redis.items.size());
  for (std::size_t i = 0; i < larder.items.size(); ++i) {
    const Reply& mine = larder.items[i];
    const Reply& theirs = redis.items[i];
    ASSERT_EQ(mine.items.size(), theirs.items.size());
    for (std::size_t j = 0; j < mine.items.size(); ++j) {
      EXPECT_EQ(mine.items[j].kind, theirs.items[j].kind) << i << ", " << j;
    }
    EXPECT_EQ(mine.items[3], theirs.items[3]) << i;  // the words
    EXPECT_EQ(mine.items[5], theirs.items[5]) << i;  // the client's name
  }
}

// Of each command: its calls, and counts that grow up to them.
TEST_F(Told, LatencyHistogramHasTheSameCommandsAndCalls) {
  const auto calls = [](const Reply& histogram) {
    std::map<std::string, std::int64_t> all;
    for (std::size_t i = 0; i + 1 < histogram.items.size(); i += 2) {
      const std::vector<Reply>& of = histogram.items[i + 1].items;
      EXPECT_EQ(of.at(0).text, "calls");
      EXPECT_EQ(of.at(2).text, "histogram_usec");
      EXPECT_EQ(of.at(3).items.back(), of.at(1));
      all.emplace(histogram.items[i].text, of.at(1).integer);
    }
    return all;
  };
  const auto [redis, larder] = both({"LATENCY", "HISTOGRAM"});

  EXPECT_EQ(calls(larder), calls(redis));
  const auto [some_redis, some_larder] =
      both({"LATENCY", "HISTOGRAM", "GET", "client", "set", "nosuch"});
  EXPECT_EQ(calls(some_larder), calls(some_redis));
}

TEST_F(Told, LatencyAndCommandAnswerAlikeWhereTheyKnowTheSame) {
  for (const Words& words :
       std::vector<Words>{{"LATENCY", "GRAPH", "nosuch"},
                          {"LATENCY", "GRAPH"},
                          {"LATENCY", "HISTORY", "nosuch"},
                          {"LATENCY", "RESET", "nosuch"},
                          {"COMMAND", "GETKEYS", "GET", "a"},
                          {"COMMAND", "GETKEYS", "mset", "a", "1", "b", "2"},
                          {"COMMAND", "GETKEYS", "MSET", "a", "1", "b"},
                          {"COMMAND", "GETKEYS", "SET", "a", "b", "EX", "1"},
                          {"COMMAND", "GETKEYS", "OBJECT", "ENCODING", "a"},
                          {"COMMAND", "GETKEYS", "OBJECT", "ENCODING"},
                          {"COMMAND", "GETKEYS", "MEMORY", "USAGE", "a", "SAMPLES", "0"},
                          {"COMMAND", "GETKEYS", "GET"},
                          {"COMMAND", "GETKEYS", "GET", "a", "b"},
                          {"COMMAND", "GETKEYS", "PING", "x"},
                          {"COMMAND", "GETKEYS", "NOSUCH", "x"},
                          {"COMMAND", "GETKEYS", "CLIENT", "NOSUCH"},
                          {"COMMAND", "GETKEYS", "CLIENT", "ID"},
                          {"COMMAND", "LIST", "FILTERBY", "MODULE", "x"},
                          {"COMMAND", "LIST", "FILTERBY", "ACLCAT", "nosuch"},
                          {"COMMAND", "LIST", "FILTERBY", "PATTERN", "nosuch"},
                          {"COMMAND", "LIST", "FILTERBY", "PATTERN", "cLient|g*"},
                          {"COMMAND", "LIST", "FILTERBY", "PATTERN"},
                          {"COMMAND", "LIST", "FILTERBY", "x", "y"},
                          {"COMMAND", "LIST", "x"}}) {
    auto [redis, larder] = both(words);
    const auto by_text = [](const Reply& a, const Reply& b) { return a.text < b.text; };
    std::ranges::sort(redis.items, by_text);
    std::ranges::sort(larder.items, by_text);
    EXPECT_EQ(larder, redis) << ::testing::PrintToString(words) << "\n"
                             << redis.text << "\n"
                             << larder.text;
  }
}

TEST_F(Told, CommandListHasNothingThatRedisDoesNotHave) {
  const auto [redis, larder] = both({"COMMAND", "LIST"});
  std::set<std::string> theirs;
  for (const Reply& name : redis.items) theirs.insert(name.text);

  for (const Reply& name : larder.items) {
    const bool own = name.text.starts_with("larder");
    const bool newer = name.text == "client|setinfo" || name.text == "client|no-touch";
    EXPECT_TRUE(own || newer || theirs.contains(name.text)) << name.text;
  }
}

}  // namespace
}  // namespace larder::test
