// Where a Redis or Valkey server is, as one URL says it:
//
//   redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]    TCP
//   rediss://…                                          TCP under TLS
//   unix://[USER[:PASSWORD]@]/PATH[?db=DATABASE]        a Unix socket
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

#include "larder/error.hpp"

namespace larder::redis {

struct RedisUrl {
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

  // "localhost:6379", "/run/redis.sock": for messages, with no secret in it.
  [[nodiscard]] std::string place() const;

  friend bool operator==(const RedisUrl&, const RedisUrl&) = default;
};

// Errors are half sentences, and repeat nothing that may be a secret.
[[nodiscard]] Result<RedisUrl> parse_redis_url(std::string_view url);

// The URL of that server, which parse_redis_url() reads back as it was. With its password.
[[nodiscard]] std::string to_string(const RedisUrl& url);

}  // namespace larder::redis
