// What one cache has counted since it was made.
#pragma once

#include <cstdint>

#include "larder/clock.hpp"

namespace larder {

struct CacheStats {
  std::uint64_t hits = 0;           // reads answered from memory
  std::uint64_t negative_hits = 0;  // of these: "no such row"
  std::uint64_t misses = 0;         // reads that memory could not answer
  std::uint64_t puts = 0;           // values stored by callers
  std::uint64_t invalidations = 0;  // keys invalidated, by call
  std::uint64_t shared_hits = 0;    // misses of memory that the shared tier answered

  std::uint64_t loads = 0;          // keys loaded from the source, or tried
  std::uint64_t batches = 0;        // loads as the source saw them: one may carry many keys
  std::uint64_t load_failures = 0;  // of `loads`: ended in an error
  std::uint64_t refused = 0;        // keys not loaded because too many waited
  std::uint64_t discarded = 0;      // loaded values not kept: invalidated on their way
  Duration load_time{};             // of all batches together

  std::uint64_t writes = 0;           // puts and removals that the source has done
  std::uint64_t writes_rejected = 0;  // that it refused for good, or for their version
  std::uint64_t writes_failed = 0;    // that were not done for another reason
  std::uint64_t writes_unknown = 0;   // of which nobody knows
  Duration write_time{};              // of all of these together, from when they began to run

  std::uint64_t entries = 0;      // now, "no such row" included
  std::uint64_t absences = 0;     // of these: "no such row"
  std::uint64_t bytes = 0;        // now; keys, values and overhead
  std::uint64_t evictions = 0;    // removed to make room
  std::uint64_t expirations = 0;  // removed because their time had come
  std::uint64_t too_large = 0;    // values not kept: larger than memory takes
  std::uint64_t no_memory = 0;    // values not kept: there was no room
};

}  // namespace larder
