// OBJECT and MEMORY: how a copy is kept.
#include <chrono>
#include <string_view>

#include "larder/memory_tier.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// Calls tell(value, info) if memory has a value of the key; or answers null, or that
// the key belongs to no cache.
template <class Tell>
void about(Session& session, std::string_view key, Tell&& tell) {
  if (session.route(key) == nullptr) return;
  bool present = false;
  session.keys().inspect(key, session.now(), [&](std::string_view value, const EntryInfo& info) {
    if (info.absent) return;
    present = true;
    tell(value, info);
  });
  if (!present) session.reply().null();
}

// Redis's encodings of a string that was set whole.
std::string_view encoding_of(std::string_view value) {
  constexpr std::size_t kLongestEmbedded = 44;
  if (value.size() <= 20 && to_integer(value)) return "int";
  return value.size() <= kLongestEmbedded ? "embstr" : "raw";
}

}  // namespace

void object_encoding(Session& session, Arguments words) {
  about(session, words[2], [&](std::string_view value, const EntryInfo&) {
    session.reply().bulk(encoding_of(value));
  });
}

void object_freq(Session& session, Arguments words) {
  if (session.route(words[2]) == nullptr) return;
  const auto uses = session.keys().keyspace().tier().uses(words[2], session.now());
  if (!uses) return session.reply().null();
  session.reply().integer(*uses);
}

void object_idletime(Session& session, Arguments words) {
  about(session, words[2], [&](std::string_view, const EntryInfo& info) {
    const auto age = session.now() - info.filled_at;
    session.reply().integer(std::chrono::duration_cast<std::chrono::seconds>(age).count());
  });
}

void memory_usage(Session& session, Arguments words) {
  for (std::size_t i = 3; i < words.size(); i += 2) {
    if (!same_word(words[i], "samples") || i + 1 == words.size()) {
      return session.error(kSyntaxError);
    }
    const auto samples = to_integer(words[i + 1]);
    if (!samples) return session.error(kNotAnInteger);
    if (*samples < 0) return session.error(kSyntaxError);
  }
  about(session, words[2], [&](std::string_view value, const EntryInfo& entry) {
    using Tier = MemoryTier<std::string, std::string>;
    session.reply().integer(
        static_cast<std::int64_t>(Tier::footprint(words[2], value, entry).bytes));
  });
}

}  // namespace larder::commands
