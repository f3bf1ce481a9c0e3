// A copy of a journal that a server has, as it was at one moment, to be looked at while that
// goes on.
//
// Only bytes are read, without a lock. What the server copies from its log to the database
// meanwhile is in the log still, which is copied second and goes over it; and it may only be
// begun anew when all of it is in the database, which shows in its header. Then the copy is made
// again.
//
// Threads: none; one at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "larder/error.hpp"

namespace larder::behind {

class JournalSnapshot {
 public:
  // Of the file `path` and its log, in a folder of this user's alone among the temporary files,
  // which takes as much room. Blocks. REQUIRES: this process has no lock on them. An error: it
  // cannot be read or kept, or is begun anew too often.
  [[nodiscard]] static Result<std::unique_ptr<JournalSnapshot>> take(
      const std::filesystem::path& path);
  // Removes it: what of it is open stays readable to whoever has it open.
  ~JournalSnapshot();
  JournalSnapshot(const JournalSnapshot&) = delete;
  JournalSnapshot& operator=(const JournalSnapshot&) = delete;

  // Of the copy's file.
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "journal.db"; }

 private:
  explicit JournalSnapshot(std::filesystem::path folder) : folder_{std::move(folder)} {}

  const std::filesystem::path folder_;
};

}  // namespace larder::behind
