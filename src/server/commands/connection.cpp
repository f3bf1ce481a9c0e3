// Commands about the connection itself.
#include <algorithm>
#include <string>

#include "server/commands/client_name.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

void ping(Session& session, Arguments words) {
  if (words.size() > 2) {
    return session.error("ERR wrong number of arguments for 'ping' command");
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

void client_id(Session& session, Arguments) {
  session.reply().integer(static_cast<std::int64_t>(session.id()));
}

void client_getname(Session& session, Arguments) {
  if (session.introduction().name.empty()) return session.reply().null();
  session.reply().bulk(session.introduction().name);
}

void client_setname(Session& session, Arguments words) {
  if (take_name(session, words[2])) session.reply().ok();
}

// Client libraries say who they are and do not look at the answer.
void client_setinfo(Session& session, Arguments words) {
  const bool library = same_word(words[2], "lib-name");
  if (!library && !same_word(words[2], "lib-ver")) {
    return session.error("ERR Unrecognized option '" + std::string{words[2]} + "'");
  }
  if (words[3].size() > kLongestClientName ||
      std::ranges::any_of(words[3], [](char c) { return c < '!' || c > '~'; })) {
    return session.error("ERR " + std::string{library ? "lib-name" : "lib-ver"} +
                         " cannot contain spaces, newlines or special characters.");
  }
  auto& introduction = session.introduction();
  (library ? introduction.library : introduction.library_version) = words[3];
  session.reply().ok();
}

}  // namespace larder::commands
