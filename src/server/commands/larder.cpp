// What larder tells of itself: LARDER EXPLAIN.
#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
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
void explain_copy(Session& session, std::string_view key, const BytesCache& cache, bool load,
                  Facts& facts) {
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
  facts.emplace_back("where", load ? "on its way from the source" : "nowhere");
  facts.emplace_back("a GET", cache.has_source() ? "loads it from the source" : "answers null");
  const std::uint64_t too_large = cache.stats().too_large;
  if (too_large == 0) return;
  // Which keys they had, nobody remembers.
  const auto most = session.keys().keyspace().tier().largest_entry();
  facts.emplace_back("not kept", std::to_string(too_large) +
                                     " times a value of this cache was "
                                     "larger than memory keeps, " +
                                     format_bytes(most) +
                                     " with its key; this key's may be one of them. See "
                                     "memory.capacity");
}

// A load, whether there is a copy or not: it may be a refresh.
void explain_load(TimePoint now, const std::optional<LoadOnWay>& load, Facts& facts) {
  if (!load) return;
  // The session's time is that of its last look at the clock.
  facts.emplace_back("load", load->began ? "under way for " + approximate_duration(std::max(
                                                                  now - *load->began, Duration{}))
                                         : "waits for its turn at the source");
}

// A client that loads the key, under LARDER LEASE.
void explain_lease(Session& session, std::string_view key, Facts& facts) {
  const auto lease = session.context().server.leases().find(key);
  if (!lease) return;
  facts.emplace_back(
      "lease", "given " + approximate_duration(std::max(session.now() - lease->given, Duration{})) +
                   " ago, and " + std::to_string(lease->waiting) + " wait");
}

// Each line break, with the blanks after it, as one space.
std::string on_one_line(std::string_view text) {
  std::string line;
  bool broken = false;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      broken = true;
    } else if (!broken || (c != ' ' && c != '\t')) {
      if (broken && !line.empty() && line.back() != ' ') line += ' ';
      broken = false;
      line += c;
    }
  }
  return line;
}

}  // namespace

void larder_explain(Session& session, Arguments words) {
  const std::string_view key = words[2];
  const Keyspace::Member* member = session.route(key);
  if (member == nullptr) return;
  const BytesCache& cache = *member->cache;

  std::deque<std::string> known;  // names that the writer gives
  Facts facts;
  facts.emplace_back("key", key);
  const std::optional<LoadOnWay> load = cache.loading(key);
  explain_copy(session, key, cache, load.has_value(), facts);
  explain_load(session.now(), load, facts);
  explain_lease(session, key, facts);
  facts.emplace_back("cache", cache.name());
  facts.emplace_back("pattern", member->pattern.text());
  facts.emplace_back("strategy", to_string(cache.strategy()));
  facts.emplace_back("source", on_one_line(cache.describe_source()));
  if (writes_to_source(cache.strategy())) {
    const bool behind = cache.strategy() == Strategy::kWriteBehind;
    facts.emplace_back("a SET",
                       (behind ? "is kept in the journal, and later written to " : "writes to ") +
                           on_one_line(cache.describe_writer()));
    for (auto& [name, text] : cache.explain_writes(std::string{key})) {
      known.push_back(std::move(name));
      facts.emplace_back(known.back(), std::move(text));
    }
    facts.emplace_back("a DEL",
                       cache.removes() ? "removes it from the source" : "drops the copy alone");
  }
  facts.emplace_back("ttl", format_duration(cache.freshness().ttl));

  auto reply = session.reply();
  reply.map(facts.size());
  for (const auto& [name, value] : facts) {
    reply.bulk(name);
    reply.bulk(value);
  }
}

}  // namespace larder::commands
