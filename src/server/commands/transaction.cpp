// MULTI, EXEC, DISCARD, WATCH, UNWATCH: several commands as one step, on caches
// without a source.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/commands/writable.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

std::optional<KeyState> state_of(Session& session, std::string_view key) {
  std::optional<KeyState> state;
  session.keys().inspect(key, session.now(), [&](std::string_view value, const EntryInfo& info) {
    state = KeyState::of(value, info);
  });
  return state;
}

bool unchanged(Session& session) {
  return std::ranges::all_of(session.watches().all(), [&](const auto& watched) {
    return state_of(session, watched.first) == watched.second;
  });
}

// Whether a reload since MULTI left each queued key a cache without a source.
bool still_plain(Session& session, const Transaction& transaction) {
  if (transaction.caches() == session.keys().version()) return true;
  bool plain = true;
  for (const Transaction::Queued& queued : transaction.queued()) {
    const std::vector<std::string_view> words{queued.words.begin(), queued.words.end()};
    queued.command->each_key(words, [&](std::string_view key) {
      const auto member = session.keys().route(key);
      plain = plain && member && !(*member)->cache->has_source();
    });
  }
  return plain;
}

}  // namespace

void multi(Session& session, Arguments) {
  if (session.transaction()) return session.error("ERR MULTI calls can not be nested");
  session.transaction().emplace(session.keys().version());
  session.reply().ok();
}

void discard(Session& session, Arguments) {
  if (!session.transaction()) return session.error("ERR DISCARD without MULTI");
  session.transaction().reset();
  session.watches().clear();
  session.reply().ok();
}

void watch(Session& session, Arguments words) {
  if (session.transaction()) return session.error("ERR WATCH inside MULTI is not allowed");
  for (const std::string_view key : words.subspan(1)) {
    if (plain_cache(session, key, words[0]) == nullptr) return;
  }
  for (const std::string_view key : words.subspan(1)) {
    const std::size_t most = session.context().limits.max_request.bytes;
    if (session.watches().add(key, state_of(session, key), most)) continue;
    session.context().counters.count(LimitMet::kRequest);
    return session.error("ERR the watched keys take more than server.max_request, " +
                         std::to_string(most) + " bytes, together; UNWATCH first");
  }
  session.reply().ok();
}

void unwatch(Session& session, Arguments) {
  session.watches().clear();
  session.reply().ok();
}

void exec(Session& session, Arguments) {
  if (!session.transaction()) return session.error("ERR EXEC without MULTI");
  const Transaction transaction = *std::exchange(session.transaction(), std::nullopt);
  if (transaction.spoiled()) {
    session.watches().clear();
    return session.error("EXECABORT Transaction discarded because of previous errors.");
  }
  session.alone([&] {
    const bool go = unchanged(session);
    session.watches().clear();
    if (!go) return session.reply().null_array();
    if (!still_plain(session, transaction)) {
      return session.error(
          "EXECABORT Transaction discarded because a reload took the cache of a key, or gave it a "
          "source.");
    }
    session.reply().array(transaction.queued().size());
    session.replies().inside_array(true);
    for (const Transaction::Queued& queued : transaction.queued()) {
      const std::vector<std::string_view> words{queued.words.begin(), queued.words.end()};
      session.run_queued(*queued.command, words);
    }
    session.replies().inside_array(false);
  });
}

}  // namespace larder::commands
