// One larder process of a consistency run.
#pragma once

#include <cstdint>
#include <string>

#include "consistency/board.hpp"

namespace larder::consistency {

// Reads and writes at random until the board is stopped, then reads until it sees the truth
// of each key, or the longest bound has passed. `process` is its number. REQUIRES: a process of its
// own, without threads.
void work(Board& board, const std::string& url, std::size_t process, std::uint64_t seed);

}  // namespace larder::consistency
