// Commands about keys as such, whatever their values.
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/commands/write_through.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

void del(Session& session, Arguments words) {
  // All keys are checked before the first copy is dropped: all or nothing.
  std::vector<BytesCache*> caches;
  for (const std::string_view key : words.subspan(1)) {
    const Keyspace::Member* member = session.route(key);
    if (member == nullptr) return;
    caches.push_back(member->cache.get());
  }
  remove_through(session, words.subspan(1), caches);
}

void exists(Session& session, Arguments words) { session.count_all(words.subspan(1)); }

void touch(Session& session, Arguments words) {
  for (const std::string_view key : words.subspan(1)) {
    if (session.route(key) == nullptr) return;
  }
  std::int64_t present = 0;
  for (const std::string_view key : words.subspan(1)) {
    bool absent = true;
    session.keys().visit(key, session.now(),
                         [&](std::string_view, const EntryInfo& info) { absent = info.absent; });
    if (!absent) ++present;
  }
  session.reply().integer(present);
}

void type(Session& session, Arguments words) {
  session.read_as({AwaitedReply::Shape::kType}, words[1]);
}

void dbsize(Session& session, Arguments) {
  const MemoryStats stats = session.keys().keyspace().tier().stats();
  session.reply().integer(static_cast<std::int64_t>(stats.entries - stats.absences));
}

void flush(Session& session, Arguments words) {
  const bool how =
      words.size() == 2 && (same_word(words[1], "async") || same_word(words[1], "sync"));
  if (words.size() > 1 && !how) return session.error(kSyntaxError);
  session.context().server.leases().cleared(std::nullopt);
  Keyspace& keyspace = session.keys().keyspace();
  keyspace.clear();
  std::vector<BytesCache*> caches;
  for (const Keyspace::Member& member : session.keys().members()) {
    caches.push_back(member.cache.get());
  }
  session.ok_once_told(caches);
}

}  // namespace larder::commands
