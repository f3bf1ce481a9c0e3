// The journal: acknowledged writes that their sources do not have yet, and those that they
// refuse for good, in a SQLite database of its own.
//
// One thread writes. What comes while a commit waits for the disk is committed together
// next, with one sync, so that many writers share it. SQLite's write-ahead log brings back
// what was committed after a crash, and leaves out what was torn. Space of what was
// settled is used again. The file is held locked: one process has it at a time.
//
//   CREATE TABLE writes (position INTEGER PRIMARY KEY, cache, key, value)   value NULL: a removal
//   CREATE TABLE dead_letters (…the same…, code, message, refused_at)
//
// Bounded: what pends, is dead, or waits to be written counts against the limit.
//
// Threads: any, concurrently; callbacks come on its own thread, which they must not block, and
// on which the last owner must not let go.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "behind/write_log.hpp"
#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace larder::behind {

// When a write is acknowledged.
enum class Durability : std::uint8_t {
  kSync,      // on disk: survives loss of power
  kInterval,  // with the system: survives a kill; loss of power takes at most the last interval
  kMemory,    // at once: a kill takes the last moments, loss of power the last interval
};

struct JournalOptions {
  std::string folder;  // made if need be
  ByteCount limit{1ULL << 30};
  Duration interval = std::chrono::seconds{1};  // between syncs of what nobody waits for
};

struct JournalStats {
  std::uint64_t bytes = 0;  // that count against the limit
  std::uint64_t limit = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t refused = 0;  // writes, at the limit, since the start
  std::uint64_t commits = 0;  // since the start
  std::uint64_t syncs = 0;    // of these, those that waited for the disk
};

struct KeptWrite {
  std::string cache;
  std::string key;
  std::optional<std::string> value;
  Position position = 0;
};

class SqliteJournal : public std::enable_shared_from_this<SqliteJournal> {
 public:
  // Blocks. kRefused: another process has it, or the folder cannot be used, with the reason.
  [[nodiscard]] static Result<std::shared_ptr<SqliteJournal>> open(JournalOptions options);
  ~SqliteJournal();
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;

  // What the writes of one cache are kept by.
  [[nodiscard]] std::shared_ptr<WriteLog> of(std::string cache, Durability durability);
  // What was pending when it was opened, by position. Once, before anything is appended.
  [[nodiscard]] std::vector<KeptWrite> take_recovered() { return std::move(recovered_); }
  // Writes what waits, syncs it, and lets go of the file; refuses what comes later. Blocks.
  // Idempotent. An error: what could not be written.
  Result<void> close() LARDER_EXCLUDES(mutex_);
  [[nodiscard]] JournalStats stats() const;

 private:
  class Log;
  struct Append {
    KeptWrite write;
    Durability durability;
    WriteLog::Appended done;
  };
  struct Settle {
    std::vector<Position> positions;
  };
  struct Bury {
    Position position;
    Error why;
  };
  using Work = std::variant<Append, Settle, Bury>;
  struct Statements;

  explicit SqliteJournal(JournalOptions options);
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> recover();
  void append(KeptWrite write, Durability durability, WriteLog::Appended done)
      LARDER_EXCLUDES(mutex_, order_);
  [[nodiscard]] Result<Position> enqueue(KeptWrite write, Durability durability,
                                         WriteLog::Appended& done) LARDER_EXCLUDES(mutex_);
  void add(Work work) LARDER_EXCLUDES(mutex_);

  void run() LARDER_EXCLUDES(mutex_);
  // `late`: a sync is owed, and overdue.
  void write(std::vector<Work> works, bool late) LARDER_EXCLUDES(mutex_);
  void tell(Append& append, const Result<void>& kept) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Result<void> commit(const std::vector<Work>& works, bool sync);
  [[nodiscard]] Result<void> carry_out(const Work& work);
  [[nodiscard]] Error failure(const char* what) const;

  const JournalOptions options_;
  const std::string file_;
  sqlite3* database_ = nullptr;  // of open(), then of thread_
  std::unique_ptr<Statements> statements_;
  std::vector<KeptWrite> recovered_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> dead_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> syncs_{0};

  Mutex mutex_;
  Condition more_;
  std::vector<Work> waiting_ LARDER_GUARDED_BY(mutex_);
  std::vector<Work> again_ LARDER_GUARDED_BY(mutex_);  // of a commit that failed; go first
  std::map<Position, std::uint64_t> costs_ LARDER_GUARDED_BY(mutex_);  // of what pends
  Position next_ LARDER_GUARDED_BY(mutex_) = 1;
  bool unsynced_ LARDER_GUARDED_BY(mutex_) = false;
  bool closing_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<Error> failed_ LARDER_GUARDED_BY(mutex_);  // at the last commit
  // Of what is acknowledged at once: told in the order of its positions. Before mutex_.
  Mutex order_;
  std::thread thread_;
};

}  // namespace larder::behind
