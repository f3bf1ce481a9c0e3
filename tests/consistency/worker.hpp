// One larder process of a consistency run.
#pragma once

#include <cstdint>
#include <string>

#include "consistency/board.hpp"

namespace larder::consistency {

struct Work {
  std::string url;           // of the shared tier
  std::string backplane{};   // of the Redis beside it; empty: there is none
  bool through = false;      // writes go through the cache; else past it, and it is told
  std::size_t process = 0;   // its number
  bool long_memory = false;  // memory keeps as long as the tier does: what it hears is its bound
  std::uint64_t seed = 0;
};

// Reads and writes at random until the board is stopped, then reads until it sees the truth
// of each key, or the longest bound has passed. REQUIRES: a process of its own, without threads.
void work(Board& board, const Work& work);

// Whether a process that comes when all have ended, and keeps nothing in memory, finds the
// truth of each key; it is given the longest bound. What it does not find is counted.
void verify(Board& board, const Work& work);

}  // namespace larder::consistency
