// LARDER RELOAD: takes the configuration file as it is now.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/reload.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

void write(Session& session, const ReloadOutcome& outcome) {
  if (!outcome.loaded()) {
    return session.error((outcome.busy ? "BUSY " : "ERR ") + to_string(outcome));
  }
  const std::pair<std::string_view, const std::vector<std::string>*> lists[] = {
      {"added", &outcome.caches.added},
      {"removed", &outcome.caches.removed},
      {"changed and empty", &outcome.caches.emptied},
      {"changed with their copies kept", &outcome.caches.adjusted},
      {"warnings", &outcome.warnings},
  };
  auto reply = session.reply();
  reply.map(std::size(lists) + 1);
  for (const auto& [name, texts] : lists) {
    reply.bulk(name);
    reply.array(texts->size());
    for (const std::string& text : *texts) reply.bulk(text);
  }
  reply.bulk("unchanged");
  reply.integer(static_cast<std::int64_t>(outcome.caches.unchanged));
}

}  // namespace

void larder_reload(Session& session, Arguments) {
  const StartReload& start = session.context().server.start_reload();
  if (!start) return session.error("ERR this server was not started from a configuration file");
  start([&session, answer = session.await()](const ReloadOutcome& outcome) {
    answer([&session, outcome] { write(session, outcome); });
  });
}

}  // namespace larder::commands
