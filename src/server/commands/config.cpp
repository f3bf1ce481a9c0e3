// CONFIG: the settings, to look at. They change in their file.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resp/glob.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

template <class Unit>
std::string count_of(Duration time) {
  return std::to_string(std::chrono::duration_cast<Unit>(time).count());
}

// Names of Redis's that clients and its tools ask for, with what is so in larder.
std::vector<ShownSetting> redis_settings(const ServerState& state) {
  using namespace std::chrono;
  const Limits limits = state.limits();
  return {
      {"appendonly", "no"},
      {"databases", "1"},
      {"io-threads", std::to_string(state.counters().size())},
      {"latency-monitor-threshold", count_of<milliseconds>(limits.slowlog_slower_than)},
      {"maxclients", std::to_string(limits.max_clients)},
      {"maxmemory", std::to_string(state.keyspace().tier().capacity().bytes)},
      {"maxmemory-policy", "allkeys-lfu"},
      {"notify-keyspace-events", ""},
      {"port", std::to_string(state.identity().port)},
      {"proto-max-bulk-len", std::to_string(limits.max_value.bytes)},
      {"save", ""},
      {"slowlog-log-slower-than", count_of<microseconds>(limits.slowlog_slower_than)},
      {"slowlog-max-len", std::to_string(limits.slowlog_entries)},
      {"timeout", count_of<seconds>(limits.idle_timeout)},
  };
}

bool wanted(const ShownSetting& setting, Arguments patterns) {
  for (const std::string_view pattern : patterns) {
    if (resp::glob_matches(pattern, setting.name, resp::GlobCase::kIgnore)) return true;
  }
  return false;
}

}  // namespace

void config_get(Session& session, Arguments words) {
  const Arguments patterns = words.subspan(2);
  for (const std::string_view pattern : patterns) {
    if (pattern.size() > kLongestPattern) return session.error(pattern_too_long(pattern));
  }
  const ServerState& state = session.context().server;
  std::vector<ShownSetting> found;
  const auto take = [&](const std::vector<ShownSetting>& settings) {
    for (const ShownSetting& each : settings) {
      if (wanted(each, patterns)) found.push_back(each);
    }
  };
  take(redis_settings(state));
  take(*state.settings());
  auto reply = session.reply();
  reply.map(found.size());
  for (const auto& [name, value] : found) {
    reply.bulk(name);
    reply.bulk(value);
  }
}

void config_set(Session& session, Arguments) {
  const std::string& file = session.context().server.identity().config_file;
  session.error("REFUSED settings change in " + (file.empty() ? "their file" : file) +
                ": change it there and say LARDER RELOAD, which tells what needs a restart");
}

void config_rewrite(Session& session, Arguments) {
  session.error("REFUSED the configuration file is written by people alone: nothing to rewrite");
}

void config_resetstat(Session& session, Arguments) {
  session.context().server.reset_stats();
  session.reply().ok();
}

}  // namespace larder::commands
