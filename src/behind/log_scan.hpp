// What is in SQLite's write-ahead log, and behind the place where SQLite ends it.
//
// SQLite takes the log up to the first frame that does not fit its checksum, since a crash
// tears the end. If a disk changes a frame further ahead, all that was committed after it is
// passed over without a word. Here the frames behind it are looked for: each one's checksum
// goes on from that of the frame before, so that it can be told to be whole by itself.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "larder/error.hpp"

namespace larder::behind {

struct LogScan {
  std::uint64_t frames = 0;   // that count
  std::uint64_t commits = 0;  // among them
  // Whole ones behind the first that does not fit, of the same time.
  std::uint64_t frames_behind = 0;
  std::uint64_t commits_behind = 0;

  // A commit stands behind the break. One may be a crash's, torn in its middle before
  // anybody was told of it; with more, commits that had been on the disk are lost.
  [[nodiscard]] bool broken() const { return commits_behind > 0; }
};

// Blocks; reads the file once. All 0: there is none, or it is empty. An error: it cannot be read.
[[nodiscard]] Result<LogScan> scan_log(const std::string& path);

// What a log that is broken means, as a sentence without an end.
[[nodiscard]] std::string describe_break(const LogScan& scan, const std::string& path);

}  // namespace larder::behind
