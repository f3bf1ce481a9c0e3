// What one I/O thread counts of its connections and their commands.
//
// Threads: written by its own thread, read by any (see Tally).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/command.hpp"
#include "server/error_prefix.hpp"
#include "server/latency_histogram.hpp"
#include "server/tally.hpp"

namespace larder {

// What a client's command met: it was refused, or had to wait.
enum class LimitMet : std::uint8_t {
  kRequest,
  kArguments,
  kKey,
  kValue,
  kReplyBuffer,
  kPipeline,
  kLeases,
};
inline constexpr std::size_t kLimitsMet = 7;

struct alignas(64) Counters {
  void count(LimitMet limit) { limits_met[static_cast<std::size_t>(limit)].add(); }

  Tally connections;                           // open now
  Tally connections_taken;                     // since the start, as all below
  Tally commands;                              // that were carried out
  std::array<Tally, kMostCounted> by_command;  // the same, by counted_as(command)
  // Of each: nanoseconds that carrying it out took; how many were refused before that,
  // and failed meanwhile; and how many took how long, by latency_step().
  std::array<Tally, kMostCounted> time_by_command;
  std::array<Tally, kMostCounted> rejected_by_command;
  std::array<Tally, kMostCounted> failed_by_command;
  std::array<std::array<Tally, kLatencySteps>, kMostCounted> steps_by_command;
  Tally error_replies;
  std::array<Tally, kErrorPrefixes.size()> errors_by_prefix;
  Tally protocol_errors;  // connections closed for malformed requests
  Tally tls_failures;     // connections closed for handshakes or records that went wrong
  Tally closed_idle;      // connections closed at idle_timeout
  Tally closed_nobody;    // and at login_timeout
  Tally closed_heavy;     // and at max_client_memory
  Tally bytes_received;
  Tally bytes_sent;
  Tally reads;  // system calls
  Tally writes;
  Tally memory;  // bytes that the clients keep now; see Session::kept_bytes()
  std::array<Tally, kLimitsMet> limits_met;
};

}  // namespace larder
