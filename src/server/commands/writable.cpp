#include "server/commands/writable.hpp"

#include <string>

#include "base/quantity.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// What writes the source of a cache that takes writes to it.
std::string writing_commands(Strategy strategy) {
  return strategy == Strategy::kWriteBehind ? "SET of one key" : "SET of one key, and SETEX";
}

}  // namespace

BytesCache* writable_cache(Session& session, std::string_view key) {
  const Keyspace::Member* member = session.route(key);
  if (member == nullptr) return nullptr;
  BytesCache& cache = *member->cache;
  if (cache.strategy() == Strategy::kCacheAside) return &cache;
  if (writes_to_source(cache.strategy())) {
    session.error("REFUSED cache \"" + cache.name() + "\" is " +
                  std::string{to_string(cache.strategy())} + ": its source is written by " +
                  writing_commands(cache.strategy()) + ", and by no other command");
    return nullptr;
  }
  session.error("REFUSED cache \"" + cache.name() + "\" is " +
                std::string{to_string(cache.strategy())} +
                " and takes no writes: write to its source and DEL the key, or set strategy = "
                "\"write-through\" or \"cache-aside\" in [caches." +
                cache.name() + "]");
  return nullptr;
}

BytesCache* plain_cache(Session& session, std::string_view key, std::string_view command) {
  const Keyspace::Member* member = session.route(key);
  if (member == nullptr) return nullptr;
  BytesCache& cache = *member->cache;
  if (!cache.has_source()) return &cache;
  if (command == "MULTI") {
    session.error("REFUSED cache \"" + cache.name() +
                  "\" has a source, which a transaction cannot wait for: MULTI works on caches "
                  "without one. Read the key, or " +
                  (writes_to_source(cache.strategy()) ? "SET" : "DEL") + " it, outside of MULTI");
    return nullptr;
  }
  std::string name{command};
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  session.error("REFUSED cache \"" + cache.name() + "\" has a source, which " + name +
                " cannot change: it works on caches without one. " +
                (writes_to_source(cache.strategy())
                     ? "The source is written by " + writing_commands(cache.strategy())
                     : "Write to the source and DEL the key"));
  return nullptr;
}

EntryInfo with_life_of(const EntryInfo& was, EntryInfo info) {
  info.fresh_until = was.fresh_until;
  info.usable_until = was.usable_until;
  return info;
}

bool stored(Session& session, const BytesCache& cache, PutOutcome outcome) {
  if (outcome == PutOutcome::kStored) return true;
  const BytesTier& tier = session.keys().keyspace().tier();
  const std::string code = outcome == PutOutcome::kTooLarge ? "ERR" : "OOM";
  session.error(code + " cache \"" + cache.name() +
                "\": " + why_not_stored(outcome, tier.largest_entry()) + "; memory.capacity is " +
                format_bytes(tier.capacity()) + ". What was there stays");
  return false;
}

}  // namespace larder::commands
