// Reading and writing values.
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

struct SetOptions {
  enum class If : std::uint8_t { kAlways, kAbsent, kPresent };
  If store = If::kAlways;
  bool get = false;
  bool keep_ttl = false;
  std::optional<Duration> life;
};

// The options of SET. False after an error reply.
bool read_options(Session& session, Arguments words, SetOptions& options) {
  std::optional<std::string_view> amount;
  TimeUnit unit{};
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto timed = [&](std::string_view name, TimeUnit its_unit) {
      if (!same_word(word, name) || amount || options.keep_ttl || i + 1 == words.size()) {
        return false;
      }
      amount = words[++i];
      unit = its_unit;
      return true;
    };
    if (same_word(word, "nx") && options.store != SetOptions::If::kPresent) {
      options.store = SetOptions::If::kAbsent;
    } else if (same_word(word, "xx") && options.store != SetOptions::If::kAbsent) {
      options.store = SetOptions::If::kPresent;
    } else if (same_word(word, "get")) {
      options.get = true;
    } else if (same_word(word, "keepttl") && !amount) {
      options.keep_ttl = true;
    } else if (!timed("ex", kSeconds) && !timed("px", kMilliseconds) &&
               !timed("exat", kUnixSeconds) && !timed("pxat", kUnixMilliseconds)) {
      session.error(kSyntaxError);
      return false;
    }
  }
  if (!amount) return true;
  const auto number = to_integer(*amount);
  if (!number) {
    session.error(kNotAnInteger);
    return false;
  }
  options.life = *number > 0 ? to_life(*number, unit) : std::nullopt;
  if (!options.life) session.error(invalid_expire_time("set"));
  return options.life.has_value();
}

}  // namespace

// Hot: guarded by bench/server.
void get(Session& session, Arguments words) { session.read(words[1]); }

void mget(Session& session, Arguments words) { session.read_all(words.subspan(1)); }

// Hot: guarded by bench/server.
void set(Session& session, Arguments words) {
  SetOptions options;
  if (words.size() > 3 && !read_options(session, words, options)) return;
  BytesCache* const cache = writable_cache(session, words[1]);
  if (cache == nullptr) return;

  EntryInfo info = cache->entry_for_put();
  if (options.life) live(info, *options.life, session.now());
  bool skipped = false;
  std::optional<std::string> old;
  const auto outcome =
      cache->update(words[1], [&](const std::string_view* value, const EntryInfo* was) {
        const bool present = value != nullptr && !was->absent;
        if (options.get && present) old.emplace(*value);
        skipped = (options.store == SetOptions::If::kAbsent && present) ||
                  (options.store == SetOptions::If::kPresent && !present);
        if (skipped) return BytesTier::Update::keep();
        if (options.keep_ttl && present) {
          info.fresh_until = was->fresh_until;
          info.usable_until = was->usable_until;
        }
        return BytesTier::Update::store(words[2], info);
      });
  if (!stored(session, *cache, outcome.put)) return;

  if (options.get) {
    if (old) return session.reply().bulk(*old);
    return session.reply().null();
  }
  if (skipped) return session.reply().null();
  session.reply().ok();
}

}  // namespace larder::commands
