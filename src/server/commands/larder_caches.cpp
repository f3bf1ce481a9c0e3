// LARDER CACHES, STATS, INVALIDATE, REFRESH: caches as a whole, and loading on demand.
//
// A client is told of the caches that it may do something with, and no other.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest_name.hpp"
#include "base/quantity.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

constexpr auto kAnyRight = {Right::kRead, Right::kWrite, Right::kAdmin};

bool knows(Session& session, std::string_view cache) {
  return std::ranges::any_of(kAnyRight,
                             [&](Right right) { return session.identity().may(right, cache); });
}

// The cache of that name; null after an error reply, which is the same whether there is
// none or the client may do nothing with it.
const Keyspace::Member* find_cache(Session& session, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Keyspace::Member& member : session.keys().members()) {
    if (!knows(session, member.cache->name())) continue;
    if (member.cache->name() == name) return &member;
    known.push_back(member.cache->name());
  }
  std::string text = "ERR there is no cache \"" + std::string{name.substr(0, 128)} + "\"";
  if (const auto meant = nearest_name(name, known)) {
    text += "; did you mean \"" + std::string{*meant} + "\"?";
  } else {
    text += "; LARDER CACHES lists them";
  }
  session.error(text);
  return nullptr;
}

bool permitted(Session& session, Right right, std::string_view cache) {
  if (session.identity().may(right, cache)) return true;
  session.error("NOPERM this user lacks the right " + std::string{to_string(right)} + ":" +
                std::string{cache});
  return false;
}

void write_number(resp::ReplyWriter& reply, std::string_view name, std::uint64_t value) {
  reply.bulk(name);
  reply.integer(static_cast<std::int64_t>(value));
}

void write_stats(resp::ReplyWriter& reply, const CacheStats& stats) {
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"entries", stats.entries},
      {"absences", stats.absences},
      {"bytes", stats.bytes},
      {"hits", stats.hits},
      {"negative hits", stats.negative_hits},
      {"shared hits", stats.shared_hits},
      {"misses", stats.misses},
      {"puts", stats.puts},
      {"invalidations", stats.invalidations},
      {"loads", stats.loads},
      {"batches", stats.batches},
      {"load failures", stats.load_failures},
      {"loads refused", stats.refused},
      {"loads discarded", stats.discarded},
      {"writes", stats.writes},
      {"writes rejected", stats.writes_rejected},
      {"writes failed", stats.writes_failed},
      {"writes unknown", stats.writes_unknown},
      {"evictions", stats.evictions},
      {"expirations", stats.expirations},
      {"too large", stats.too_large},
      {"no memory", stats.no_memory},
  };
  reply.map(std::size(numbers) + 2);
  for (const auto& [name, value] : numbers) write_number(reply, name, value);
  const std::uint64_t reads = stats.hits + stats.misses;
  reply.bulk("hit ratio");
  reply.real(reads == 0 ? 0 : static_cast<double>(stats.hits) / static_cast<double>(reads));
  reply.bulk("load time");
  reply.bulk(approximate_duration(stats.load_time));
}

void invalidate_keys(Session& session, Arguments keys) {
  // All keys are checked before the first copy is dropped: all or nothing.
  std::vector<BytesCache*> caches;
  for (const std::string_view key : keys) {
    const Keyspace::Member* const member = session.route(key);
    if (member == nullptr) return;
    if (!permitted(session, Right::kWrite, member->cache->name())) return;
    caches.push_back(member->cache.get());
  }
  std::int64_t dropped = 0;
  for (std::size_t i = 0; i < caches.size(); ++i) dropped += caches[i]->invalidate(keys[i]) ? 1 : 0;
  session.integer_once_told(dropped, caches);
}

}  // namespace

void larder_caches(Session& session, Arguments) {
  std::vector<const Keyspace::Member*> known;
  for (const Keyspace::Member& member : session.keys().members()) {
    if (knows(session, member.cache->name())) known.push_back(&member);
  }
  auto reply = session.reply();
  reply.array(known.size());
  for (const Keyspace::Member* member : known) {
    const BytesCache& cache = *member->cache;
    const std::pair<std::string_view, std::string> facts[] = {
        {"cache", cache.name()},
        {"pattern", std::string{member->pattern.text()}},
        {"strategy", std::string{to_string(cache.strategy())}},
        {"source", cache.describe_source()},
        {"ttl", format_duration(cache.freshness().ttl)},
    };
    reply.map(std::size(facts) + 2);
    for (const auto& [name, value] : facts) {
      reply.bulk(name);
      reply.bulk(value);
    }
    const CacheStats stats = cache.stats();
    write_number(reply, "entries", stats.entries);
    write_number(reply, "bytes", stats.bytes);
  }
}

void larder_stats(Session& session, Arguments words) {
  if (words.size() > 3) return session.error(wrong_arity("larder|stats"));
  if (words.size() == 3) {
    const Keyspace::Member* const member = find_cache(session, words[2]);
    if (member == nullptr || !permitted(session, Right::kRead, member->cache->name())) return;
    auto reply = session.reply();
    return write_stats(reply, member->cache->stats());
  }
  std::vector<const BytesCache*> readable;
  for (const Keyspace::Member& member : session.keys().members()) {
    if (session.identity().may(Right::kRead, member.cache->name())) {
      readable.push_back(member.cache.get());
    }
  }
  auto reply = session.reply();
  reply.map(readable.size());
  for (const BytesCache* cache : readable) {
    reply.bulk(cache->name());
    write_stats(reply, cache->stats());
  }
}

void larder_invalidate(Session& session, Arguments words) {
  if (same_word(words[2], "key")) return invalidate_keys(session, words.subspan(3));
  if (!same_word(words[2], "cache") || words.size() != 4) {
    return session.error(
        "ERR syntax error: LARDER INVALIDATE takes KEY and keys, or CACHE and a "
        "cache's name");
  }
  const Keyspace::Member* const member = find_cache(session, words[3]);
  if (member == nullptr || !permitted(session, Right::kAdmin, member->cache->name())) return;
  BytesCache* const cache = member->cache.get();
  session.context().server.leases().cleared(cache->space());
  cache->clear();
  session.ok_once_told({&cache, 1});
}

void larder_refresh(Session& session, Arguments words) {
  const Keyspace::Member* const member = session.route(words[2]);
  if (member == nullptr) return;
  const BytesCache& cache = *member->cache;
  if (cache.has_source()) return session.load_anew(*member, words[2]);
  session.error("REFUSED cache \"" + cache.name() +
                "\" has no source to load from; its clients SET its values");
}

}  // namespace larder::commands
