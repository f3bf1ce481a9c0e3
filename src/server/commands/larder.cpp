// What larder tells of itself: LARDER EXPLAIN.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "server/commands/commands.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

using Facts = std::vector<std::pair<std::string_view, std::string>>;

// What memory knows of the key.
void explain_copy(Session& session, std::string_view key, const BytesCache& cache, Facts& facts) {
  const TimePoint now = session.now();
  const bool found =
      session.keys().inspect(key, now, [&](std::string_view value, const EntryInfo& info) {
        facts.emplace_back("where", "memory");
        facts.emplace_back("value", info.absent ? "none: the source has no such row"
                                                : format_bytes({value.size()}));
        facts.emplace_back("age", approximate_duration(now - info.filled_at));
        facts.emplace_back("fresh for", info.fresh_until > now
                                            ? approximate_duration(info.fresh_until - now)
                                            : "stale");
        facts.emplace_back("load cost", info.load_cost > Duration{}
                                            ? approximate_duration(info.load_cost)
                                            : "none: a client set it");
      });
  if (found) return;
  facts.emplace_back("where", cache.loading(key) ? "on its way from the source" : "nowhere");
  facts.emplace_back("a GET", cache.strategy() == Strategy::kReadThrough
                                  ? "loads it from the source"
                                  : "answers null");
}

}  // namespace

void larder_explain(Session& session, Arguments words) {
  const std::string_view key = words[2];
  const Keyspace::Member* member = session.route(key);
  if (member == nullptr) return;
  const BytesCache& cache = *member->cache;

  Facts facts;
  facts.emplace_back("key", key);
  explain_copy(session, key, cache, facts);
  facts.emplace_back("cache", cache.name());
  facts.emplace_back("pattern", member->pattern.text());
  facts.emplace_back("strategy", to_string(cache.strategy()));
  facts.emplace_back("source", cache.describe_source());
  facts.emplace_back("ttl", format_duration(cache.freshness().ttl));

  auto reply = session.reply();
  reply.map(facts.size());
  for (const auto& [name, value] : facts) {
    reply.bulk(name);
    reply.bulk(value);
  }
}

}  // namespace larder::commands
