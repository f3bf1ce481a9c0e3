// Changing parts of values, and storing under conditions: on caches without a source.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/commands/writable.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

void refuse_length(Session& session) {
  session.context().counters.count(LimitMet::kValue);
  session.error("ERR string exceeds maximum allowed size (server.max_value, " +
                std::to_string(session.context().limits.max_value.bytes) + " bytes)");
}

// What `cache` stores in place of a value: the new one lives as long as the old.
EntryInfo info_after(const EntryInfo* was, const EntryInfo& fresh) {
  return was == nullptr ? fresh : with_life_of(*was, fresh);
}

// Puts `bytes` at the place in the value that place(size) names, zeros before it
// where there is nothing, and answers the new length. No bytes change nothing, unless
// `store_nothing`.
template <class Place>
void overwrite(Session& session, BytesCache& cache, std::string_view key, std::string_view bytes,
               bool store_nothing, Place place) {
  const EntryInfo fresh = cache.entry_for_put();
  std::string changed;
  bool too_long = false;
  const auto outcome = cache.update(key, [&](const std::string_view* value, const EntryInfo* was) {
    if (value != nullptr) changed = *value;
    if (bytes.empty() && !store_nothing) return BytesTier::Update::keep();
    const std::size_t at = place(changed.size());
    const std::size_t most = session.context().limits.max_value.bytes;
    too_long = bytes.size() > most || at > most - bytes.size();
    if (too_long) return BytesTier::Update::keep();
    changed.resize(std::max(changed.size(), at + bytes.size()));
    changed.replace(at, bytes.size(), bytes);
    return BytesTier::Update::store(changed, info_after(was, fresh));
  });
  if (too_long) return refuse_length(session);
  if (!stored(session, cache, outcome.put)) return;
  session.reply().integer(static_cast<std::int64_t>(changed.size()));
}

// The caches of the keys of "KEY VALUE KEY VALUE …"; empty after an error reply.
std::vector<BytesCache*> caches_of_pairs(Session& session, Arguments words) {
  if (words.size() % 2 == 0) {
    session.error(wrong_arity(find_command(words[0])->name));
    return {};
  }
  std::vector<BytesCache*> caches;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    BytesCache* const cache = plain_cache(session, words[i], words[0]);
    if (cache == nullptr) return {};
    caches.push_back(cache);
  }
  return caches;
}

// Stores all pairs, or none if one is too large; only where memory ends between two
// of them, those before are stored. False after an error reply.
bool store_pairs(Session& session, const std::vector<BytesCache*>& caches, Arguments words) {
  const BytesTier& tier = session.keys().keyspace().tier();
  std::vector<EntryInfo> infos;
  for (std::size_t i = 0; i < caches.size(); ++i) {
    infos.push_back(caches[i]->entry_for_put());
    if (!tier.takes(words[2 * i + 1], words[2 * i + 2], infos[i])) {
      return stored(session, *caches[i], PutOutcome::kTooLarge);
    }
  }
  for (std::size_t i = 0; i < caches.size(); ++i) {
    const auto outcome = caches[i]->update(words[2 * i + 1], [&](const auto*, const EntryInfo*) {
      return BytesTier::Update::store(words[2 * i + 2], infos[i]);
    });
    if (!stored(session, *caches[i], outcome.put)) return false;
  }
  return true;
}

}  // namespace

void append(Session& session, Arguments words) {
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return;
  overwrite(session, *cache, words[1], words[2], true, [](std::size_t size) { return size; });
}

void setrange(Session& session, Arguments words) {
  const auto offset = to_integer(words[2]);
  if (!offset) return session.error(kNotAnInteger);
  if (*offset < 0) return session.error("ERR offset is out of range");
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return;
  overwrite(session, *cache, words[1], words[3], false,
            [&](std::size_t) { return static_cast<std::size_t>(*offset); });
}

void setnx(Session& session, Arguments words) {
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return;
  const EntryInfo info = cache->entry_for_put();
  bool present = false;
  const auto outcome =
      cache->update(words[1], [&](const std::string_view* value, const EntryInfo*) {
        present = value != nullptr;
        return present ? BytesTier::Update::keep() : BytesTier::Update::store(words[2], info);
      });
  if (stored(session, *cache, outcome.put)) session.reply().integer(present ? 0 : 1);
}

void mset(Session& session, Arguments words) {
  session.alone([&] {
    const auto caches = caches_of_pairs(session, words);
    if (caches.empty()) return;
    if (store_pairs(session, caches, words)) session.reply().ok();
  });
}

void msetnx(Session& session, Arguments words) {
  session.alone([&] {
    const auto caches = caches_of_pairs(session, words);
    if (caches.empty()) return;
    for (std::size_t i = 0; i < caches.size(); ++i) {
      if (caches[i]->inspect(words[2 * i + 1], [](auto&&...) {})) return session.reply().integer(0);
    }
    if (store_pairs(session, caches, words)) session.reply().integer(1);
  });
}

}  // namespace larder::commands
