// A log with a break (log_scan.hpp), kept as it was before anything is written over what stands
// behind it.
//
// Threads: none; whoever has the journal's lock.
#pragma once

#include <optional>
#include <string>

#include "larder/error.hpp"

namespace larder::behind {

// How many are kept of one journal. A disk that breaks more logs is to be seen to first.
inline constexpr int kMostKeptLogs = 8;

// Copies the log of the journal `path` to the next free of path-wal.broken1 and on, on the disk
// when this returns, unless the same is kept already. In words: what it is, and where; none: it has
// no break. kRefused: it cannot be read, or not be kept, or too many are. Of one that is but torn
// these two are no refusal: the words say that it is not kept. Blocks.
[[nodiscard]] Result<std::optional<std::string>> keep_broken_log(const std::string& path);

}  // namespace larder::behind
