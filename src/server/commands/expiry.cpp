// How long copies live.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/lifetime.hpp"
#include "server/commands/words.hpp"
#include "server/commands/writable.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

constexpr std::int64_t kNoSuchKey = -2;

// Until when a copy is fresh; none without a copy.
std::optional<TimePoint> end_of(Session& session, std::string_view key) {
  std::optional<TimePoint> end;
  session.keys().inspect(key, session.now(), [&](std::string_view, const EntryInfo& info) {
    if (!info.absent) end = info.fresh_until;
  });
  return end;
}

// What is left of a copy's life, in milliseconds, rounded up; -2 without a copy.
std::int64_t life_of(Session& session, std::string_view key) {
  const auto end = end_of(session, key);
  if (!end) return kNoSuchKey;
  const Duration life = std::max(*end - session.now(), Duration{});
  return std::chrono::ceil<std::chrono::milliseconds>(life).count();
}

// When a copy's life ends, in milliseconds since 1970; -2 without a copy.
std::int64_t end_since_1970(Session& session, std::string_view key) {
  const auto end = end_of(session, key);
  if (!end) return kNoSuchKey;
  return session.context().server.wall_clock().since_1970(*end).count();
}

// As Redis rounds.
std::int64_t to_seconds(std::int64_t milliseconds) {
  return milliseconds < 0 ? milliseconds : (milliseconds + 500) / 1000;
}

struct Condition {
  bool if_none = false;     // NX; every entry has a time to live, so it never holds
  bool if_longer = false;   // GT
  bool if_shorter = false;  // LT
};

// The flags of EXPIRE. False after an error reply.
bool read_flags(Session& session, Arguments flags, Condition& condition) {
  bool if_any = false;
  for (const std::string_view flag : flags) {
    if (same_word(flag, "nx")) {
      condition.if_none = true;
    } else if (same_word(flag, "xx")) {
      if_any = true;
    } else if (same_word(flag, "gt")) {
      condition.if_longer = true;
    } else if (same_word(flag, "lt")) {
      condition.if_shorter = true;
    } else {
      session.error("ERR Unsupported option " + std::string{up_to_nul(flag)});
      return false;
    }
  }
  if (condition.if_none && (if_any || condition.if_longer || condition.if_shorter)) {
    session.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (condition.if_longer && condition.if_shorter) {
    session.error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// What ends at once in a cache with a source is invalid, as by DEL, whether this process has a copy
// or not: another may, and the shared tier. The row stays, whatever the cache writes. A key has
// always a time to live (NX), which no time that is over is longer than (GT).
bool invalidates(const Session& session, const BytesCache& cache, const Condition& condition,
                 TimePoint until) {
  return cache.has_source() && until <= session.now() && !condition.if_none && !condition.if_longer;
}

// A copy from a source may be kept for a shorter time, never longer than its
// cache's ttl allows: what the source says now may differ.
void set_life(Session& session, Arguments words, TimeUnit unit, std::string_view name) {
  Condition condition;
  if (!read_flags(session, words.subspan(3), condition)) return;
  const auto amount = to_integer(words[2]);
  if (!amount) return session.error(kNotAnInteger);
  const auto end = end_of_life(session, *amount, unit);
  if (!end) return session.error(invalid_expire_time(name));
  const Keyspace::Member* member = session.route(words[1]);
  if (member == nullptr) return;

  BytesCache& cache = *member->cache;
  const TimePoint until = *end;
  if (invalidates(session, cache, condition, until)) {
    const bool there = end_of(session, words[1]).has_value();
    cache.invalidate(words[1]);
    BytesCache* const invalidated = &cache;
    return session.integer_once_told(there ? 1 : 0, {&invalidated, 1});
  }
  bool changed = false;
  const auto outcome =
      cache.update(words[1], [&](const std::string_view* value, const EntryInfo* was) {
        if (value == nullptr || was->absent) return BytesTier::Update::keep();
        changed = !condition.if_none && !(condition.if_longer && until <= was->fresh_until) &&
                  !(condition.if_shorter && until >= was->fresh_until);
        if (!changed) return BytesTier::Update::keep();
        if (until <= session.now()) return BytesTier::Update::erase();
        EntryInfo info = *was;
        info.fresh_until = info.usable_until = until;
        if (cache.has_source()) {
          info.fresh_until = std::min(until, was->filled_at + cache.freshness().ttl);
          info.usable_until = info.fresh_until;
        }
        return BytesTier::Update::set_info(info);
      });
  if (stored(session, cache, outcome.put)) session.reply().integer(changed ? 1 : 0);
}

}  // namespace

void ttl(Session& session, Arguments words) {
  if (session.route(words[1]) == nullptr) return;
  session.reply().integer(to_seconds(life_of(session, words[1])));
}

void pttl(Session& session, Arguments words) {
  if (session.route(words[1]) == nullptr) return;
  session.reply().integer(life_of(session, words[1]));
}

void expiretime(Session& session, Arguments words) {
  if (session.route(words[1]) == nullptr) return;
  session.reply().integer(to_seconds(end_since_1970(session, words[1])));
}

void pexpiretime(Session& session, Arguments words) {
  if (session.route(words[1]) == nullptr) return;
  session.reply().integer(end_since_1970(session, words[1]));
}

void expire(Session& session, Arguments words) { set_life(session, words, kSeconds, "expire"); }

void pexpire(Session& session, Arguments words) {
  set_life(session, words, kMilliseconds, "pexpire");
}

void expireat(Session& session, Arguments words) {
  set_life(session, words, kUnixSeconds, "expireat");
}

void pexpireat(Session& session, Arguments words) {
  set_life(session, words, kUnixMilliseconds, "pexpireat");
}

// A copy from a source lives as if it had just been loaded when it was.
void persist(Session& session, Arguments words) {
  const Keyspace::Member* member = session.route(words[1]);
  if (member == nullptr) return;
  BytesCache& cache = *member->cache;
  const EntryInfo life = cache.entry_for_put();
  bool present = false;
  const auto outcome =
      cache.update(words[1], [&](const std::string_view* value, const EntryInfo* was) {
        if (value == nullptr || was->absent) return BytesTier::Update::keep();
        present = true;
        EntryInfo info = *was;
        live_until(info,
                   cache.has_source() ? was->filled_at + cache.freshness().ttl : life.fresh_until);
        return BytesTier::Update::set_info(info);
      });
  if (stored(session, cache, outcome.put)) session.reply().integer(present ? 1 : 0);
}

}  // namespace larder::commands
