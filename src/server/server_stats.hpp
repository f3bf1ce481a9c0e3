// What INFO counts, as one value: so that CONFIG RESETSTAT can have it begin anew while
// the counters themselves, which /metrics shows, go on.
//
// Threads: plain values.
#pragma once

#include <array>
#include <cstdint>

#include "server/command.hpp"
#include "server/error_prefix.hpp"
#include "server/latency_histogram.hpp"

namespace larder {

class ServerState;

struct ServerStats {
  struct OfCommand {
    std::uint64_t calls = 0;        // that were carried out
    std::uint64_t rejected = 0;     // others, before they were
    std::uint64_t failed = 0;       // while they were
    std::uint64_t nanoseconds = 0;  // that carrying them out took
    LatencySteps steps{};           // how many took how long
  };

  std::uint64_t connections_taken = 0;
  std::uint64_t rejected_connections = 0;
  std::uint64_t commands = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t error_replies = 0;
  std::uint64_t expirations = 0;
  std::uint64_t evictions = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::array<std::uint64_t, kErrorPrefixes.size()> errors{};
  std::array<OfCommand, kMostCounted> by_command{};  // by counted_as()

  // Since the start. O(threads × commands).
  [[nodiscard]] static ServerStats of(const ServerState& state);
  // What came after `earlier`. What a cache counted that is gone since is nothing.
  [[nodiscard]] ServerStats since(const ServerStats& earlier) const;
};

}  // namespace larder
