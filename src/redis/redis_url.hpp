// Where a Redis or Valkey server, or several, are, as one URL says it:
//
//   redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]    TCP
//   rediss://…                                          TCP under TLS
//   unix://[USER[:PASSWORD]@]/PATH[?db=DATABASE]        a Unix socket
//   redis+cluster://[…@]HOST[:PORT],HOST[:PORT],…       some nodes of a cluster
//   redis+sentinel://[…@]HOST[:PORT],…/NAME[?db=…]      sentinels, and their master's name
//   rediss+cluster://…, rediss+sentinel://…             the same under TLS
//
// USER and PASSWORD are those of the servers that hold data, not of sentinels. A sentinel's
// port is 26379 unless given.
//
// Behind `?`, joined by `&`: `db=N`; for rediss `ca=FILE` (whose certificates are
// trusted, instead of the system's), `cert=FILE` and `key=FILE` (to show to the
// server). `redis://:PASSWORD@…` logs in as the server's default user. What is not
// plain in a user, password, path or file is written %XX.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "redis/topology.hpp"

namespace larder::redis {

struct RedisUrl {
  enum class Kind : std::uint8_t { kServer, kCluster, kSentinel };

  Kind kind = Kind::kServer;
  std::string host{};         // a name, or an address without brackets; empty: a socket
  std::uint16_t port = 6379;  // of host
  std::string socket{};       // a path; empty: host
  bool tls = false;
  std::string ca{};           // PEM files, for TLS; empty: the system's
  std::string certificate{};  // … empty: none is shown
  std::string key{};
  std::string user{};      // empty: the server's default user
  std::string password{};  // empty: no login
  unsigned database = 0;
  std::vector<Place> more{};  // of a cluster or of sentinels: those behind the first
  std::string master{};       // of sentinels: what they call it

  // The URL of one server of a cluster, or of a sentinels' master, with the same login.
  [[nodiscard]] RedisUrl server_at(const Place& place) const;

  // "localhost:6379", "/run/redis.sock", of the first of several: for messages, with no secret in
  // it.
  [[nodiscard]] std::string place() const;

  friend bool operator==(const RedisUrl&, const RedisUrl&) = default;
};

// Errors are half sentences, and repeat nothing that may be a secret.
[[nodiscard]] Result<RedisUrl> parse_redis_url(std::string_view url);

// The URL of that server, which parse_redis_url() reads back as it was. With its password.
[[nodiscard]] std::string to_string(const RedisUrl& url);

}  // namespace larder::redis
