// MONITOR: all that the server carries out, line by line.
#include "server/commands/commands.hpp"
#include "server/session.hpp"

namespace larder::commands {

void monitor(Session& session, Arguments) {
  session.reply().ok();
  session.watch_commands();
}

}  // namespace larder::commands
