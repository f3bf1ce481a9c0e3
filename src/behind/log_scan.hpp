// What is in SQLite's write-ahead log, and behind the place where SQLite ends it.
//
// SQLite takes the log up to the first frame that does not fit its checksum, since a crash
// tears the end. If a disk changes a frame further ahead, all that was committed after it is
// passed over without a word. Here the frames behind it are looked for: each one's checksum
// goes on from that of the frame before, so that it can be told to be whole by itself.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "larder/error.hpp"

namespace larder::behind {

struct LogScan {
  std::uint64_t frames = 0;   // that count
  std::uint64_t commits = 0;  // among them
  // Whole ones behind the first that does not fit, of the same time.
  std::uint64_t frames_behind = 0;
  std::uint64_t commits_behind = 0;
  // That do not fit, but say that they end a commit.
  std::uint64_t commits_changed = 0;
  bool header_changed = false;  // and SQLite passes over all

  // That SQLite passes over.
  [[nodiscard]] std::uint64_t commits_lost() const { return commits_behind + commits_changed; }
  // Commits that had been written are among them: the power can tear but one.
  [[nodiscard]] bool broken() const {
    return commits_lost() > 1 || (commits_behind == 1 && header_changed);
  }
  // It ends within its last commit: behind the break stands the frame that ends one commit, whole,
  // and no other. This is what is left when the power goes while a commit is written, before
  // anybody is told of it. A disk may leave the same later, with acknowledged writes behind the
  // break: where it changes another frame of the last commit; or the frame that ends the one
  // before, so that it no more shows that it does, or of which time it is.
  [[nodiscard]] bool torn() const { return commits_behind == 1 && !broken(); }
};

// Blocks; reads the file once. All 0: there is none, or it is empty. An error: it cannot be read.
[[nodiscard]] Result<LogScan> scan_log(const std::string& path);

// Of the database whose log it is, as the log says; none: it has no header that SQLite takes, so
// that SQLite passes over all of it. Blocks.
[[nodiscard]] std::optional<std::size_t> page_size_of_log(const std::string& path);

// What a log that is broken, or torn, means, as a sentence without an end.
[[nodiscard]] std::string describe_break(const LogScan& scan, const std::string& path);

}  // namespace larder::behind
