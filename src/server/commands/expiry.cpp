// How long copies live.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/lifetime.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

constexpr std::int64_t kNoSuchKey = -2;

// What is left of a copy's life, in milliseconds, rounded up; -2 without a copy.
std::int64_t life_of(Session& session, std::string_view key) {
  std::int64_t left = kNoSuchKey;
  session.keys().inspect(key, session.now(), [&](std::string_view, const EntryInfo& info) {
    if (info.absent) return;
    const Duration life = std::max(info.fresh_until - session.now(), Duration{});
    left = std::chrono::ceil<std::chrono::milliseconds>(life).count();
  });
  return left;
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
      session.error("ERR Unsupported option " + std::string{flag});
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

// A copy from a source may be kept for a shorter time, never longer than its
// cache's ttl allows: what the source says now may differ.
void set_life(Session& session, Arguments words, TimeUnit unit, std::string_view name) {
  Condition condition;
  if (!read_flags(session, words.subspan(3), condition)) return;
  const auto amount = to_integer(words[2]);
  if (!amount) return session.error(kNotAnInteger);
  const auto life = to_life(*amount, unit);
  if (!life) return session.error(invalid_expire_time(name));
  const Keyspace::Member* member = session.route(words[1]);
  if (member == nullptr) return;

  BytesCache& cache = *member->cache;
  const TimePoint until = session.now() + *life;
  bool changed = false;
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
  session.reply().integer(changed ? 1 : 0);
}

}  // namespace

void ttl(Session& session, Arguments words) {
  const std::int64_t left = life_of(session, words[1]);
  session.reply().integer(left < 0 ? left : (left + 500) / 1000);  // as Redis rounds
}

void pttl(Session& session, Arguments words) {
  session.reply().integer(life_of(session, words[1]));
}

void expire(Session& session, Arguments words) { set_life(session, words, kSeconds, "expire"); }

void pexpire(Session& session, Arguments words) {
  set_life(session, words, kMilliseconds, "pexpire");
}

}  // namespace larder::commands
