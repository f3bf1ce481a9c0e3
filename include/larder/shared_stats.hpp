// What a shared tier has counted since its start.
//
// Threads: a plain value.
#pragma once

#include <cstdint>

namespace larder {

struct SharedStats {
  std::uint64_t hits = 0;      // keys answered with a copy
  std::uint64_t leases = 0;    // given to this process, refreshes among them
  std::uint64_t waits = 0;     // for another process's load, by key
  std::uint64_t failures = 0;  // of other processes' loads, told to readers here
  std::uint64_t passed = 0;    // keys sent to the source, to keep nothing
  std::uint64_t foreign = 0;   // values that this larder does not understand
  std::uint64_t stale = 0;     // values of another run, statement or generation
  std::uint64_t corrupt = 0;   // damaged values
  std::uint64_t fills = 0;     // values left in the tier
  // … and not left: invalidated on their way, the lease lost, or larger than Memcached takes.
  std::uint64_t refused_fills = 0;
  std::uint64_t marks = 0;          // keys marked before a write
  std::uint64_t untaken_marks = 0;  // … and written without, or not: the tier did not take it
  std::uint64_t errors = 0;         // replies that were errors, or that did not come
  std::uint64_t heard = 0;          // invalidations by other processes
  std::uint64_t gaps = 0;           // times that some may have been missed, the start among them
  std::uint64_t connections = 0;    // made for commands
  std::uint64_t undelivered = 0;    // invalidations that the tier has yet to be told; now

  SharedStats& operator+=(const SharedStats& other);
};

inline SharedStats& SharedStats::operator+=(const SharedStats& other) {
  hits += other.hits;
  leases += other.leases;
  waits += other.waits;
  failures += other.failures;
  passed += other.passed;
  foreign += other.foreign;
  stale += other.stale;
  corrupt += other.corrupt;
  fills += other.fills;
  refused_fills += other.refused_fills;
  marks += other.marks;
  untaken_marks += other.untaken_marks;
  errors += other.errors;
  heard += other.heard;
  gaps += other.gaps;
  connections += other.connections;
  undelivered += other.undelivered;
  return *this;
}

}  // namespace larder
