// Commands about the connection itself.
#include <string>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

void ping(Session& session, Arguments words) {
  if (words.size() > 2) {
    return session.error("ERR wrong number of arguments for 'ping' command");
  }
  if (session.subscribed() && session.protocol() == resp::Protocol::kResp2) {
    auto reply = session.reply();
    reply.array(2);
    reply.bulk("pong");
    return reply.bulk(words.size() == 2 ? words[1] : "");
  }
  if (words.size() == 2) return session.reply().bulk(words[1]);
  session.reply().simple("PONG");
}

void echo(Session& session, Arguments words) { session.reply().bulk(words[1]); }

void quit(Session& session, Arguments) {
  session.reply().ok();
  session.quit();
}

void select(Session& session, Arguments words) {
  const auto index = to_integer(words[1]);
  if (!index) return session.error(kNotAnInteger);
  if (*index < INT32_MIN || *index > INT32_MAX) {
    return session.error(
        "ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  if (*index != 0) return session.error("ERR DB index is out of range");
  session.reply().ok();
}

}  // namespace larder::commands
