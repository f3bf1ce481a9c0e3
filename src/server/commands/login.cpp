// Who the client is: AUTH, HELLO, RESET, ACL WHOAMI.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/commands/client_name.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

struct Hello {
  resp::Protocol protocol;
  std::optional<std::string> name{};
  // Both or neither.
  std::optional<std::string_view> user{};
  std::optional<std::string_view> password{};
};

// What the words ask for; nullopt after an error reply.
std::optional<Hello> read_hello(Session& session, Arguments words) {
  Hello hello{.protocol = session.protocol()};
  if (words.size() > 1) {
    const auto version = to_integer(words[1]);
    if (!version) {
      session.error("ERR Protocol version is not an integer or out of range");
      return std::nullopt;
    }
    if (*version != 2 && *version != 3) {
      session.error("NOPROTO unsupported protocol version");
      return std::nullopt;
    }
    hello.protocol = *version == 2 ? resp::Protocol::kResp2 : resp::Protocol::kResp3;
  }
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (same_word(words[i], "auth") && i + 2 < words.size()) {
      hello.user = words[++i];
      hello.password = words[++i];
    } else if (same_word(words[i], "setname") && i + 1 < words.size()) {
      hello.name = words[++i];
    } else {
      session.error("ERR Syntax error in HELLO option '" + std::string{up_to_nul(words[i])} + "'");
      return std::nullopt;
    }
  }
  return hello;
}

void greet(Session& session, resp::Protocol protocol, const std::optional<std::string>& name) {
  if (name && !take_name(session, *name)) return;
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

// Whether the client is let in; false after an error reply.
bool let_in(Session& session, const Login& login) {
  switch (login.outcome) {
    case Login::Outcome::kAccepted: return true;
    case Login::Outcome::kRejected:
      session.error("WRONGPASS invalid username-password pair or user is disabled.");
      return false;
    case Login::Outcome::kLimited: {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(login.wait).count();
      session.error("ERR too many failed logins from your address; try again in " +
                    std::to_string(seconds) + (seconds == 1 ? " second" : " seconds"));
      return false;
    }
    case Login::Outcome::kBusy:
      session.error("ERR too many passwords are being checked; try again");
      return false;
  }
  return false;
}

}  // namespace

void hello(Session& session, Arguments words) {
  const auto hello = read_hello(session, words);
  if (!hello) return;
  if (hello->user) {
    return session.log_in(
        *hello->user, *hello->password,
        [protocol = hello->protocol, name = hello->name](Session& self, const Login& login) {
          if (let_in(self, login)) greet(self, protocol, name);
        });
  }
  if (session.identity().user() == nullptr) {
    return session.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
        "protocol version at the same time");
  }
  greet(session, hello->protocol, hello->name);
}

void auth(Session& session, Arguments words) {
  if (words.size() > 3) return session.error(kSyntaxError);
  const bool named = words.size() == 3;
  if (!named && session.context().server.authenticator().users()->anonymous() != nullptr) {
    return session.error(
        "ERR AUTH <password> called without any password configured for the default user. Are "
        "you sure your configuration is correct?");
  }
  session.log_in(named ? words[1] : kDefaultUser, words.back(),
                 [](Session& self, const Login& login) {
                   if (let_in(self, login)) self.reply().ok();
                 });
}

void reset(Session& session, Arguments) {
  session.identity().begin();
  session.transaction().reset();
  session.watches().clear();
  if (session.watches_commands()) session.watch_commands_no_more();
  session.track_no_more();
  session.subscribe(false);
  Introduction introduction = session.introduction();
  introduction.name.clear();
  session.introduce(std::move(introduction));
  session.answer(Session::Answers::kAll);
  session.activity().protected_from_eviction = false;
  session.activity().leaves_no_trace = false;
  session.speak(resp::Protocol::kResp2);
  session.reply().simple("RESET");
}

void acl_whoami(Session& session, Arguments) {
  session.reply().bulk(session.identity().user()->name);
}

}  // namespace larder::commands
