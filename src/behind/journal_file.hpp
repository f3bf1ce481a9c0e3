// The journal's file: a SQLite database in WAL mode that one process has at a time.
//
//   CREATE TABLE journal (id, reserved)      one row: no position above it was ever given out
//   CREATE TABLE writes (position, cache, key, value, written_at, checksum)
//                                            value NULL: a removal; milliseconds since 1970
//   CREATE TABLE dead_letters (…the same…, code, message, refused_at)
//   CREATE TABLE damaged (…as writes…, found_at)
//
// Every row has a checksum of its own, since those of SQLite end where its log does. A row
// that does not fit it is put aside when the file is opened, and never applied.
//
// Positions are never used twice, though the disk may have lost the last of them: each
// opening reserves many ahead, and gives back at close() what it did not use.
//
// After an error of the disk (a failed sync above all) nothing is written any more: the
// system may tell of a second sync that all is well, and have dropped the data of the first.
// What the disk has is read anew by the next process, which writes all of it once more
// before it relies on it.
//
// Threads: none; one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behind/pending_writes.hpp"
#include "larder/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace larder::behind {

struct KeptWrite {
  std::string cache;
  std::string key;
  std::optional<std::string> value;
  Position position = 0;
};

// Whether a journal, or what is left of one, is in a folder.
[[nodiscard]] bool has_journal(const std::string& folder);

class JournalFile {
 public:
  static constexpr std::int64_t kVersion = 2;
  // SQLite's application_id of a journal: "Lard".
  static constexpr std::int64_t kApplication = 0x4c617264;

  // Makes the folder and the file, if need be, and locks it. Blocks. kRefused: another process
  // has it, it is of another version, or the folder cannot be used; with the reason.
  [[nodiscard]] static Result<std::unique_ptr<JournalFile>> open(const std::string& folder);
  // Leaves the file as it is; close() first.
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  struct Contents {
    std::vector<KeptWrite> writes{};  // by position
    std::uint64_t dead_letters = 0;
    std::uint64_t dead_bytes = 0;  // of their caches, keys and values
    std::uint64_t damaged = 0;     // rows put aside, now and earlier
    Position last = 0;             // that may have been given out
    std::string id{};              // of this journal, in all the world
    // The disk is full: nothing can be written yet, and each begin() tries again.
    std::optional<Error> full{};
    // What the log had that SQLite passes over, in words; a copy of it is kept.
    std::optional<std::string> log_break{};
  };
  // What it has; puts damaged rows aside. Once, before anything is written.
  [[nodiscard]] Result<Contents> recover();

  // ---- One commit: begin(), what it is to hold, commit(). ----
  // After an error: roll_back(). kOverloaded: the disk is full, and nothing was written.
  // kOutcomeUnknown: it may come back after a restart. broken() says if there can be another.

  // `sync`: it is on disk when commit() returns; else it is with the system.
  [[nodiscard]] Result<void> begin(bool sync);
  [[nodiscard]] Result<void> keep(const KeptWrite& write);
  // `positions` in their order, each once.
  [[nodiscard]] Result<void> settle(const std::vector<Position>& positions);
  [[nodiscard]] Result<void> bury(Position position, const Error& why);
  // Nothing was changed since begin(): syncs what was committed before.
  [[nodiscard]] Result<void> touch();
  [[nodiscard]] Result<void> commit();
  void roll_back();

  // Why nothing is written any more; none: it is.
  [[nodiscard]] const std::optional<Error>& broken() const { return broken_; }
  // Lets go of it. `last`: the last position that was given out.
  void close(Position last);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Statements;

  explicit JournalFile(const std::string& folder);
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> check_version();
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<void> keep_log();
  [[nodiscard]] Result<void> prepare_statements();
  [[nodiscard]] Result<std::vector<KeptWrite>> writes();
  [[nodiscard]] Result<void> make_writable();
  [[nodiscard]] Result<void> put_damaged_aside();
  [[nodiscard]] Result<void> reserve(Position last);
  [[nodiscard]] Result<void> execute(const char* sql, const char* what);
  [[nodiscard]] Result<void> step(sqlite3_stmt* statement);
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  [[nodiscard]] Result<std::string> text(const char* sql);
  // Of the last call, which failed; an error of the disk is the last.
  [[nodiscard]] Error failure(const char* what);
  [[nodiscard]] Result<void> checkpoint(int mode);

  const std::string path_;
  sqlite3* database_ = nullptr;
  std::unique_ptr<Statements> statements_;
  Position reserved_ = 0;
  Position last_ = 0;      // that an earlier process may have given out
  bool is_new_ = false;    // without tables yet
  bool writable_ = false;  // as far as a full disk goes
  int log_pages_ = 0;      // of the write-ahead log, at the last commit
  std::optional<std::string> log_break_;
  std::optional<Error> broken_;
};

}  // namespace larder::behind
