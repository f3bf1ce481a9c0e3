// MONITOR of larder beside redis-server's: the same lines for the same commands.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "server/differential/peer.hpp"
#include "server/differential/servers.hpp"

namespace larder::test {
namespace {

// A line without what each server chooses: when, and who.
std::string told(const resp::Reply& line) {
  const std::size_t end = line.text.find("] ");
  return end == std::string::npos ? line.text : line.text.substr(end + 2);
}

// The lines that a watcher is told of the commands, each sent by itself, up to the last.
std::string watched(Peer watcher, Peer client, const std::vector<Words>& commands) {
  EXPECT_EQ(watcher.ask({"MONITOR"}).text, "OK");
  for (const Words& words : commands) client.ask(words);
  const std::string last = "the last";
  client.ask({"ECHO", last});
  std::string lines;
  while (lines.find(last) == std::string::npos) lines += told(watcher.next()) + "\n";
  return lines;
}

TEST(MonitorDifferential, ShowsTheLinesThatRedisShows) {
  if (const std::string why = Redis::missing(); !why.empty()) GTEST_SKIP() << why;
  Redis redis;
  Larder larder;
  const std::vector<Words> commands{
      {"PING"},
      {"set", "a", "1", "EX", "100"},
      {"GET", "a"},
      {"GET", std::string{"\0\xff\r\n\t\a\b\"\\'", 10}},
      {"SET", "", ""},
      {"NOSUCH", "x"},
      {"GET"},
      {"INCR", "a"},
      {"APPEND", "a", "x"},
      {"INCR", "a"},
      {"MULTI"},
      {"SET", "b", "2"},
      {"GET", "b"},
      {"EXEC"},
      {"MULTI"},
      {"SET", "b", "2"},
      {"DISCARD"},
      {"MULTI"},
      {"NOSUCH"},
      {"EXEC"},
      {"EXEC"},
      {"WATCH", "a"},
      {"UNWATCH"},
      {"CLIENT", "SETNAME", "someone"},
      {"CLIENT", "ID"},
      {"CLIENT", "NOSUCH"},
      {"CLIENT", "LIST"},
      {"CONFIG", "GET", "maxmemory"},
      {"SLOWLOG", "LEN"},
      {"LATENCY", "LATEST"},
      {"COMMAND", "COUNT"},
      {"OBJECT", "ENCODING", "a"},
      {"MEMORY", "USAGE", "a"},
      {"INFO", "server"},
      {"TIME"},
      {"DBSIZE"},
      {"SCAN", "0"},
      {"KEYS", "*"},
      {"MGET", "a", "b"},
      {"TTL", "a"},
      {"SELECT", "0"},
      {"SELECT", "99"},
      {"AUTH", "a secret"},
      {"AUTH", "default", "a secret"},
      {"HELLO", "2"},
      {"HELLO", "2", "AUTH", "default", "a secret"},
      {"HELLO", "9"},
      {"FLUSHALL"},
      {"RESET"},
  };

  const auto of_redis = watched(redis.connect(), redis.connect(), commands);
  const auto of_larder = watched(larder.connect(), larder.connect(), commands);

  EXPECT_EQ(of_larder, of_redis);
  EXPECT_EQ(of_larder.find("a secret"), std::string::npos);
}

}  // namespace
}  // namespace larder::test
