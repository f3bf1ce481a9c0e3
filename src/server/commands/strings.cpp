// Reading and writing whole values, and reading parts of them.
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/set_options.hpp"
#include "server/commands/words.hpp"
#include "server/commands/writable.hpp"
#include "server/commands/write_through.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

bool has_value(const std::string_view* value, const EntryInfo* info) {
  return value != nullptr && !info->absent;
}

void reply_with(Session& session, const std::optional<std::string>& value) {
  if (value) return session.reply().bulk(*value);
  session.reply().null();
}

// Stores `value` until `end`, or as long as its cache says.
void store(Session& session, BytesCache& cache, std::string_view key, std::string_view value,
           const SetOptions& options, std::optional<TimePoint> end) {
  EntryInfo info = cache.entry_for_put(session.now());
  if (end) live_until(info, *end);
  bool skipped = false;
  std::optional<std::string> old;
  const auto outcome =
      cache.update(key, session.now(), [&](const std::string_view* before, const EntryInfo* was) {
        const bool present = has_value(before, was);
        if (options.get && present) old.emplace(*before);
        skipped = (options.store == SetOptions::If::kAbsent && present) ||
                  (options.store == SetOptions::If::kPresent && !present);
        if (skipped) return BytesTier::Update::keep();
        if (end && *end <= session.now()) return BytesTier::Update::erase();
        if (options.keep_ttl && present) info = with_life_of(*was, info);
        return BytesTier::Update::store(value, info);
      });
  if (!stored(session, cache, outcome.put)) return;
  if (options.get) return reply_with(session, old);
  if (skipped) return session.reply().null();
  session.reply().ok();
}

// The key's cache, if it writes through to its source. Writes no reply.
BytesCache* written_through(Session& session, std::string_view key) {
  const auto member = session.keys().route(key);
  if (!member || !writes_to_source((*member)->cache->strategy())) return nullptr;
  return (*member)->cache.get();
}

// SET of such a key.
void set_through(Session& session, BytesCache& cache, Arguments words, const SetOptions& options,
                 std::optional<TimePoint> end) {
  if (options.get || options.keep_ttl || options.store != SetOptions::If::kAlways) {
    return session.error("REFUSED cache \"" + cache.name() + "\" is " +
                         std::string{to_string(cache.strategy())} +
                         ", and its source is written whatever a copy says: SET takes no NX, XX, "
                         "GET or KEEPTTL there");
  }
  put_through(session, cache, words[1], words[2], end);
}

// SETEX and PSETEX.
void store_for(Session& session, Arguments words, TimeUnit unit, std::string_view command) {
  const auto end = read_life(session, words[2], unit, command);
  if (!end) return;
  if (BytesCache* const cache = written_through(session, words[1])) {
    return put_through(session, *cache, words[1], words[3], end);
  }
  if (BytesCache* const cache = writable_cache(session, words[1])) {
    store(session, *cache, words[1], words[3], {}, end);
  }
}

}  // namespace

// Hot: guarded by bench/server.
void get(Session& session, Arguments words) { session.read(words[1]); }

void mget(Session& session, Arguments words) { session.read_all(words.subspan(1)); }

// Hot: guarded by bench/server.
void set(Session& session, Arguments words) {
  SetOptions options;
  std::optional<TimePoint> end;
  if (words.size() > 3) {
    const auto read = read_set_options(words.subspan(3));
    if (!read) return session.error(kSyntaxError);
    options = *read;
    if (options.amount) {
      end = read_life(session, *options.amount, options.unit, "set");
      if (!end) return;
    }
  }
  if (BytesCache* const cache = written_through(session, words[1])) [[unlikely]] {
    return set_through(session, *cache, words, options, end);
  }
  if (BytesCache* const cache = writable_cache(session, words[1])) {
    if (options.get && !session.identity().may(Right::kRead, cache->name())) {
      return session.error(no_permission("set"));
    }
    store(session, *cache, words[1], words[2], options, end);
  }
}

void setex(Session& session, Arguments words) { store_for(session, words, kSeconds, "setex"); }

void psetex(Session& session, Arguments words) {
  store_for(session, words, kMilliseconds, "psetex");
}

void getset(Session& session, Arguments words) {
  if (BytesCache* const cache = writable_cache(session, words[1])) {
    store(session, *cache, words[1], words[2], {.get = true}, {});
  }
}

void getdel(Session& session, Arguments words) {
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return;
  std::optional<std::string> old;
  cache->update(words[1], [&](const std::string_view* value, const EntryInfo* was) {
    if (has_value(value, was)) old.emplace(*value);
    return BytesTier::Update::erase();
  });
  reply_with(session, old);
}

void getex(Session& session, Arguments words) {
  const auto options = read_getex_options(words.subspan(2));
  if (!options) return session.error(kSyntaxError);
  if (!options->amount && !options->persist) return session.read(words[1]);
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return;

  // As in Redis, a wrong time matters only where there is a value.
  if (!session.keys().inspect(words[1], session.now(), [](auto&&...) {})) {
    cache->count_miss();
    return session.reply().null();
  }
  EntryInfo life = cache->entry_for_put();
  if (options->amount) {
    const auto end = read_life(session, *options->amount, options->unit, "getex");
    if (!end) return;
    live_until(life, *end);
  }
  std::optional<std::string> value;
  const auto outcome =
      cache->update(words[1], [&](const std::string_view* bytes, const EntryInfo* was) {
        if (!has_value(bytes, was)) return BytesTier::Update::keep();
        value.emplace(*bytes);
        if (life.usable_until <= session.now()) return BytesTier::Update::erase();
        return BytesTier::Update::set_info(with_life_of(life, *was));
      });
  if (stored(session, *cache, outcome.put)) reply_with(session, value);
}

void strlen(Session& session, Arguments words) {
  session.read_as({AwaitedReply::Shape::kLength}, words[1]);
}

void getrange(Session& session, Arguments words) {
  const auto first = to_integer(words[2]);
  const auto last = to_integer(words[3]);
  if (!first || !last) return session.error(kNotAnInteger);
  session.read_as({AwaitedReply::Shape::kRange, *first, *last}, words[1]);
}

}  // namespace larder::commands
