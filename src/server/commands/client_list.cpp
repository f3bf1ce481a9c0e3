#include "server/commands/client_list.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "server/commands/words.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

std::string flags_of(const ClientSnapshot& client) {
  std::string flags;
  if (client.monitors) flags += 'O';
  if (client.subscribed) flags += 'P';
  if (client.queued >= 0) flags += 'x';
  if (client.tracks) flags += 't';
  if (client.redirect_broken) flags += 'R';
  if (client.broadcasts) flags += 'B';
  if (client.origin.address.starts_with('/')) flags += 'U';
  if (client.protected_from_eviction) flags += 'e';
  if (client.leaves_no_trace) flags += 'T';
  return flags.empty() ? "N" : flags;
}

std::string seconds(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

constexpr std::int64_t kMostSeconds = 100LL * 365 * 24 * 3600;

using Type = ClientFilter::Type;

std::optional<Type> to_type(Session& session, std::string_view word) {
  if (same_word(word, "normal")) return Type::kNormal;
  if (same_word(word, "pubsub")) return Type::kSubscribed;
  for (const std::string_view other : {"slave", "replica", "master"}) {
    if (same_word(word, other)) return Type::kOther;  // larder has none of these
  }
  session.error("ERR Unknown client type '" + std::string{up_to_nul(word)} + "'");
  return std::nullopt;
}

bool read_id(Session& session, std::string_view word, ClientFilter& filter) {
  const auto id = to_integer(word);
  if (!id || *id < 1) {
    session.error("ERR client-id should be greater than 0");
    return false;
  }
  filter.ids = {static_cast<std::uint64_t>(*id)};
  return true;
}

bool read_type(Session& session, std::string_view word, ClientFilter& filter) {
  const auto type = to_type(session, word);
  filter.type = type;
  return type.has_value();
}

// Whoever may not know of others is told of no user but itself.
bool read_user(Session& session, std::string_view word, ClientFilter& filter) {
  const User* const self = session.identity().user();
  const auto users = session.context().server.authenticator().users();
  const bool known = session.identity().administers() ? users->find(word) != nullptr
                                                      : self != nullptr && self->name == word;
  if (!known) session.error("ERR No such user '" + std::string{up_to_nul(word)} + "'");
  filter.user = word;
  return known;
}

bool read_age(Session& session, std::string_view word, ClientFilter& filter) {
  const auto age = to_integer(word);
  if (!age || *age < 1) {
    session.error(age ? "ERR maxage should be greater than 0"
                      : "ERR maxage is not an integer or out of range");
    return false;
  }
  filter.least_age = std::chrono::seconds{std::min(*age, kMostSeconds)};
  return true;
}

bool read_skip(Session& session, std::string_view word, ClientFilter& filter) {
  filter.skip_self = same_word(word, "yes");
  if (filter.skip_self || same_word(word, "no")) return true;
  session.error(kSyntaxError);
  return false;
}

// One of KILL's filters; false after an error reply.
bool read_one(Session& session, std::string_view name, std::string_view value,
              ClientFilter& filter) {
  if (same_word(name, "id")) return read_id(session, value, filter);
  if (same_word(name, "type")) return read_type(session, value, filter);
  if (same_word(name, "user")) return read_user(session, value, filter);
  if (same_word(name, "maxage")) return read_age(session, value, filter);
  if (same_word(name, "skipme")) return read_skip(session, value, filter);
  const bool address = same_word(name, "addr");
  if (!address && !same_word(name, "laddr")) {
    session.error(kSyntaxError);
    return false;
  }
  (address ? filter.address : filter.local_address) = value;
  return true;
}

}  // namespace

std::string client_line(const ClientSnapshot& client) {
  std::string line;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!line.empty()) line += ' ';
    line += name;
    line += '=';
    line += value;
  };
  add("id", std::to_string(client.id));
  add("addr", client.origin.address);
  add("laddr", client.origin.local_address);
  add("fd", std::to_string(client.origin.descriptor));
  add("name", client.introduction.name);
  add("age", seconds(client.age));
  add("idle", seconds(client.idle));
  add("flags", flags_of(client));
  add("db", "0");
  add("sub", client.subscribed ? "1" : "0");
  for (const std::string_view none : {"psub", "ssub"}) add(none, "0");
  add("multi", std::to_string(client.queued));
  add("qbuf", std::to_string(client.unread));
  for (const std::string_view none : {"qbuf-free", "argv-mem"}) add(none, "0");
  add("multi-mem", std::to_string(client.queued_bytes));
  for (const std::string_view none : {"rbs", "rbp", "obl"}) add(none, "0");
  add("oll", "0");
  add("omem", std::to_string(client.unsent));
  add("tot-mem",
      std::to_string(client.unread + client.queued_bytes + client.unsent + sizeof(Session)));
  add("events", client.unsent > 0 ? "rw" : "r");
  add("cmd", client.command == nullptr ? "NULL" : client.command->name);
  add("user", client.user);
  add("redir", client.tracks ? std::to_string(client.redirect) : "-1");
  add("resp", client.protocol == resp::Protocol::kResp2 ? "2" : "3");
  add("lib-name", client.introduction.library);
  add("lib-ver", client.introduction.library_version);
  return line;
}

bool ClientFilter::takes(const ClientSnapshot& client) const {
  const Type its = client.subscribed ? Type::kSubscribed : Type::kNormal;
  return (!type || *type == its) && (!ids || ids->contains(client.id)) &&
         (!address || *address == client.origin.address) &&
         (!local_address || *local_address == client.origin.local_address) &&
         (!user || *user == client.user) && (!least_age || client.age >= *least_age);
}

std::optional<ClientFilter> read_list_filter(Session& session, Arguments words) {
  ClientFilter filter;
  if (words.size() == 2) return filter;
  if (words.size() == 4 && same_word(words[2], "type")) {
    if (!read_type(session, words[3], filter)) return std::nullopt;
    return filter;
  }
  if (words.size() < 4 || !same_word(words[2], "id")) {
    session.error(kSyntaxError);
    return std::nullopt;
  }
  filter.ids.emplace();
  for (const std::string_view word : words.subspan(3)) {
    const auto id = to_integer(word);
    if (!id) {
      session.error("ERR Invalid client ID");
      return std::nullopt;
    }
    filter.ids->insert(static_cast<std::uint64_t>(*id));
  }
  return filter;
}

std::optional<ClientFilter> read_kill_filter(Session& session, Arguments words) {
  ClientFilter filter;
  if (words.size() == 3) {
    filter.address = words[2];
    filter.skip_self = false;
    return filter;
  }
  for (std::size_t i = 2; i < words.size(); i += 2) {
    if (i + 1 == words.size()) {
      session.error(kSyntaxError);
      return std::nullopt;
    }
    if (!read_one(session, words[i], words[i + 1], filter)) return std::nullopt;
  }
  return filter;
}

std::vector<ClientSnapshot> clients_for(Session& session, const ClientFilter& filter) {
  auto clients = session.context().server.clients().all(session.now());
  const bool all = session.identity().administers();
  std::erase_if(clients, [&](const ClientSnapshot& client) {
    return !(all || client.id == session.id()) || !filter.takes(client);
  });
  return clients;
}

}  // namespace larder::commands
