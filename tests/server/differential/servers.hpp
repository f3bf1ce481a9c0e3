// The two servers under comparison, each a fixture of one test.
//
// Threads: confined to one.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cache/keyspace.hpp"
#include "demo/child.hpp"
#include "larder/runtime.hpp"
#include "server/differential/peer.hpp"
#include "server/limits.hpp"
#include "server/server.hpp"

namespace larder::test {

constexpr std::chrono::seconds kLife{100'000};  // of a key without another; see differences.cpp
constexpr std::size_t kMostBytes = 1 << 20;     // of a value

// Debian's redis-server on a socket in a directory of its own.
class Redis {
 public:
  // Why there is none to compare with; empty: there is one.
  static std::string missing();

  // REQUIRES: missing().empty().
  Redis();
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Waits until it answers.
  [[nodiscard]] Peer connect();

 private:
  const std::filesystem::path directory_;
  std::optional<demo::Child> child_;
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
