// The clients of a server as CLIENT INFO and CLIENT LIST write them, and which of
// them a CLIENT LIST or KILL means.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/client_registry.hpp"
#include "server/command.hpp"

namespace larder {
class Session;
}

namespace larder::commands {

// A line in Redis's format, without its end.
[[nodiscard]] std::string client_line(const ClientSnapshot& client);

// What must hold of a client; what is not given holds of all.
struct ClientFilter {
  std::optional<std::set<std::uint64_t>> ids{};
  std::optional<std::string_view> address{};
  std::optional<std::string_view> local_address{};
  std::optional<std::string_view> user{};
  std::optional<Duration> least_age{};
  enum class Type : std::uint8_t { kNormal, kSubscribed, kOther };
  std::optional<Type> type{};
  bool skip_self = true;  // KILL spares who says it

  [[nodiscard]] bool takes(const ClientSnapshot& client) const;
};

// What the words behind CLIENT LIST and CLIENT KILL ask for; nullopt after an error
// reply.
[[nodiscard]] std::optional<ClientFilter> read_list_filter(Session& session, Arguments words);
[[nodiscard]] std::optional<ClientFilter> read_kill_filter(Session& session, Arguments words);

// The clients that are meant and that this one may know of: all, or itself alone.
[[nodiscard]] std::vector<ClientSnapshot> clients_for(Session& session, const ClientFilter& filter);

}  // namespace larder::commands
