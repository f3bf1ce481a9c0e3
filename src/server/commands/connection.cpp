// Commands about the connection itself.
#include <algorithm>
#include <string>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

constexpr std::size_t kLongestName = 256;

// Takes `name` as the connection's; false after an error reply.
bool rename(Session& session, std::string_view name) {
  if (name.size() > kLongestName) {
    session.error("ERR Client names have at most " + std::to_string(kLongestName) + " bytes");
    return false;
  }
  if (std::ranges::any_of(name, [](char c) { return c < '!' || c > '~'; })) {
    session.error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  session.introduction().name = name;
  return true;
}

}  // namespace

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
  if (!index || *index < INT32_MIN || *index > INT32_MAX) return session.error(kNotAnInteger);
  if (*index != 0) return session.error("ERR DB index is out of range");
  session.reply().ok();
}

void hello(Session& session, Arguments words) {
  std::size_t next = 1;
  resp::Protocol protocol = session.protocol();
  if (words.size() > 1) {
    const auto version = to_integer(words[1]);
    if (!version) return session.error("ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3) {
      return session.error("NOPROTO unsupported protocol version");
    }
    protocol = *version == 2 ? resp::Protocol::kResp2 : resp::Protocol::kResp3;
    next = 2;
  }
  for (; next < words.size(); ++next) {
    if (same_word(words[next], "setname") && next + 1 < words.size()) {
      if (!rename(session, words[++next])) return;
    } else {
      return session.error("ERR Syntax error in HELLO option '" + std::string{words[next]} + "'");
    }
  }
  session.speak(protocol);

  auto reply = session.reply();
  reply.map(7);
  reply.bulk("server");
  reply.bulk("larder");
  reply.bulk("version");
  reply.bulk(kRedisVersion);
  reply.bulk("proto");
  reply.integer(protocol == resp::Protocol::kResp2 ? 2 : 3);
  reply.bulk("id");
  reply.integer(static_cast<std::int64_t>(session.id()));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
}

void client_id(Session& session, Arguments) {
  session.reply().integer(static_cast<std::int64_t>(session.id()));
}

void client_getname(Session& session, Arguments) {
  if (session.introduction().name.empty()) return session.reply().null();
  session.reply().bulk(session.introduction().name);
}

void client_setname(Session& session, Arguments words) {
  if (rename(session, words[2])) session.reply().ok();
}

// Client libraries say who they are and do not look at the answer.
void client_setinfo(Session& session, Arguments words) {
  const bool library = same_word(words[2], "lib-name");
  if (!library && !same_word(words[2], "lib-ver")) {
    return session.error("ERR Unrecognized option '" + std::string{words[2]} + "'");
  }
  if (words[3].size() > kLongestName ||
      std::ranges::any_of(words[3], [](char c) { return c < '!' || c > '~'; })) {
    return session.error("ERR " + std::string{library ? "lib-name" : "lib-ver"} +
                         " cannot contain spaces, newlines or special characters.");
  }
  auto& introduction = session.introduction();
  (library ? introduction.library : introduction.library_version) = words[3];
  session.reply().ok();
}

}  // namespace larder::commands
