// A journal, for people to look at, and to mend while no server has it.
//
// One that a server has is looked at in a copy of it (journal_snapshot.hpp), whose files lose their
// names as soon as they are open: however this process ends, nothing is left of them.
//
// To look at it changes no byte of it: what its log holds stays there, for the next start of
// the server to take. Before it is mended, a log with a break is kept as it was (kept_log.hpp).
//
// Threads: none; one at a time. Calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "behind/journal_snapshot.hpp"
#include "behind/log_scan.hpp"
#include "behind/pending_writes.hpp"
#include "larder/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace larder::behind {

class JournalDesk {
 public:
  enum class Purpose : std::uint8_t { kLook, kMend };
  // `place`: the journal's folder, or its file. Locks it until this goes. kRefused: it is not
  // there, a server has it and it is to be mended, it is of another version, or its log is not its
  // own; with the reason.
  [[nodiscard]] static Result<std::unique_ptr<JournalDesk>> open(const std::string& place,
                                                                 Purpose purpose);
  ~JournalDesk();
  JournalDesk(const JournalDesk&) = delete;
  JournalDesk& operator=(const JournalDesk&) = delete;

  struct Row {
    Position position = 0;
    std::string cache{};
    std::string key{};
    std::optional<std::string> value{};  // none: a removal
    std::int64_t written_at = 0;         // milliseconds since 1970
    bool whole = true;                   // it fits its checksum
    // Of a dead letter.
    std::string code{};
    std::string message{};
    std::string refused_at{};
  };
  // By position, as long as `each` says to go on. An error: the file cannot be read to its end;
  // `each` has had what can.
  using Each = std::function<bool(Row row)>;
  [[nodiscard]] Result<void> pending(const Each& each);
  [[nodiscard]] Result<void> dead_letters(const Each& each);
  // Those that were put aside, since they do not fit their checksums.
  [[nodiscard]] Result<void> damaged(const Each& each);
  // What is in its log, or was in the log of the copy, and behind a break in it.
  [[nodiscard]] Result<LogScan> log() const;
  // What SQLite finds wrong with the file; empty: nothing.
  [[nodiscard]] Result<std::vector<std::string>> faults();

  // ---- Changes, which `change` makes within one commit: all of them, or none. ----

  [[nodiscard]] Result<void> at_once(const std::function<Result<void>()>& change);
  // Makes a dead letter a pending write again, at its place among those of its key, with another
  // value if one is given. kInvalidArgument: there is no such dead letter.
  [[nodiscard]] Result<void> revive(Position position, std::optional<std::string> value);
  // Makes a pending write a dead letter, which its source did not refuse: nobody goes on
  // trying it. kInvalidArgument: there is no such write.
  [[nodiscard]] Result<void> park(Position position);
  // Forgets a dead letter, or a row that was put aside. Errors as above.
  [[nodiscard]] Result<void> drop(Position position);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string log_path() const { return path_ + "-wal"; }
  // Who has the journal, so that this is a copy; none: nobody has.
  [[nodiscard]] const std::optional<std::string>& owner() const { return owner_; }
  // Of kMend: what the log had behind a break, and where it is kept, in words.
  [[nodiscard]] const std::optional<std::string>& log_break() const { return log_break_; }

 private:
  explicit JournalDesk(std::string path) : path_{std::move(path)} {}
  [[nodiscard]] std::string file() const { return copy_ ? copy_->path().string() : path_; }
  [[nodiscard]] Result<void> open_copy();
  [[nodiscard]] Result<void> prepare(Purpose purpose);
  [[nodiscard]] Result<void> prepare_to_mend();
  [[nodiscard]] Error failure(const char* what) const;
  [[nodiscard]] Result<void> execute(const char* sql);
  // `row` says whether to go on.
  [[nodiscard]] Result<void> read(const char* sql, const std::function<bool(sqlite3_stmt*)>& row);
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  // Runs `sql` with the position, and the value, as its parameters; how many rows it changed.
  [[nodiscard]] Result<int> change(const char* sql, Position position,
                                   const std::optional<std::string>& value = std::nullopt);

  const std::string path_;
  std::unique_ptr<JournalSnapshot> copy_;  // while it is opened; null: it is the journal itself
  std::optional<Result<LogScan>> log_of_copy_;
  std::optional<std::string> owner_;
  sqlite3* database_ = nullptr;
  std::optional<std::string> log_break_;
};

}  // namespace larder::behind
