// How much room a shard of a memory tier has, and what it measures entries in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace larder::detail {

// Threads: a plain value.
struct ShardRoom {
  std::uint64_t capacity;     // bytes, or what entries weigh
  std::uint64_t most;         // what one entry may weigh
  std::uint64_t arena_bytes;  // addresses to reserve
  std::size_t least_ghosts;
  std::uint64_t least_spacing;  // of what tells the time in eviction's queues; weight
  bool memory;  // entries weigh the memory that they take; else their value's weight
};

}  // namespace larder::detail
