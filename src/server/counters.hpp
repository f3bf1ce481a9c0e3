// What one I/O thread counts of its connections and their commands.
//
// Threads: written by its own thread, read by any (see Tally).
#pragma once

#include <array>

#include "server/command.hpp"
#include "server/error_prefix.hpp"
#include "server/tally.hpp"

namespace larder {

struct alignas(64) Counters {
  Tally connections;                            // open now
  Tally connections_taken;                      // since the start, as all below
  Tally commands;                               // that were understood and carried out
  std::array<Tally, kMostCommands> by_command;  // by index_of(command)
  // Of each of these: nanoseconds that carrying it out took, errors before that, and
  // errors meanwhile.
  std::array<Tally, kMostCommands> time_by_command;
  std::array<Tally, kMostCommands> rejected_by_command;
  std::array<Tally, kMostCommands> failed_by_command;
  Tally error_replies;
  std::array<Tally, kErrorPrefixes.size()> errors_by_prefix;
  Tally protocol_errors;  // connections closed for malformed requests
  Tally tls_failures;     // connections closed for handshakes or records that went wrong
  Tally closed_idle;      // connections closed at idle_timeout
  Tally closed_nobody;    // and at login_timeout
  Tally bytes_received;
  Tally bytes_sent;
  Tally reads;  // system calls
  Tally writes;
  Tally paused;  // times a client had to read its replies first
};

}  // namespace larder
