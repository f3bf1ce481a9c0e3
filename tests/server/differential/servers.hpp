// The two servers under comparison, each a fixture of one test.
//
// Threads: confined to one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cache/keyspace.hpp"
#include "larder/runtime.hpp"
#include "redis/redis_server.hpp"
#include "server/differential/peer.hpp"
#include "server/limits.hpp"
#include "server/server.hpp"

namespace larder::test {

constexpr std::chrono::seconds kLife{100'000};  // of a key without another; see differences.cpp
constexpr std::size_t kMostBytes = 1 << 20;     // of a value

// Debian's redis-server, with larder's limits.
class Redis {
 public:
  // Why there is none to compare with; empty: there is one.
  static std::string missing();

  // REQUIRES: missing().empty().
  Redis();

  [[nodiscard]] Peer connect() const { return Peer::to_socket(server_.socket()); }

 private:
  RedisServer server_;
};

// larder, whose one cache takes every key.
class Larder {
 public:
  explicit Larder(Limits limits = {.max_value = {kMostBytes}});

  [[nodiscard]] Peer connect() { return Peer::to_port(server_->port()); }

 private:
  Runtime runtime_{{.io_threads = 2, .blocking_threads = 1}};
  Keyspace keyspace_;
  std::unique_ptr<Server> server_;
};

}  // namespace larder::test
