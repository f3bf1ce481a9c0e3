// The journal: acknowledged writes that their sources do not have yet, and those that they
// refuse for good, in a SQLite database of its own.
//
// One thread writes. What comes while a commit waits for the disk is committed together
// next, with one sync, so that many writers share it. Those that a sync has just answered are
// given a small part of its time to join the next one, too. SQLite's write-ahead log brings back
// what was committed after a crash, and leaves out what was torn. Space of what was
// settled is used again. What is in the file, and when it is not trusted any more, says
// journal_file.hpp.
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

#include "behind/journal_file.hpp"
#include "behind/write_log.hpp"
#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"

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
  // Told on the journal's thread that it cannot be written, and, null, that it can again.
  std::function<void(const Error* failure)> report{};
};

struct JournalStats {
  std::uint64_t bytes = 0;  // that count against the limit
  std::uint64_t limit = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t damaged = 0;  // rows that the disk changed, put aside
  bool broken = false;        // the disk failed: nothing is written until a restart
  bool full = false;          // what met the limit last would meet it still
  // Why the last commit failed, and with it every write now; none: it did not.
  std::optional<Error> failure{};
  std::uint64_t refused = 0;  // writes, at the limit, since the start
  std::uint64_t commits = 0;  // since the start
  std::uint64_t syncs = 0;    // of these, those that waited for the disk
};

class SqliteJournal : public std::enable_shared_from_this<SqliteJournal> {
 public:
  // Blocks. Errors as of JournalFile::open() and recover().
  [[nodiscard]] static Result<std::shared_ptr<SqliteJournal>> open(JournalOptions options);
  ~SqliteJournal();
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;

  // What the writes of one cache are kept by.
  [[nodiscard]] std::shared_ptr<WriteLog> of(std::string cache, Durability durability);
  // What was pending when it was opened, by position. Once, before anything is appended.
  [[nodiscard]] std::vector<KeptWrite> take_recovered() { return std::move(recovered_); }
  // Writes what waits, syncs it, and lets go of the file; refuses what comes later. Blocks.
  // Idempotent. An error: why not all could be written.
  Result<void> close() LARDER_EXCLUDES(mutex_);
  // What its log had that was lost when it was opened, in words. As LogScan.
  [[nodiscard]] const std::optional<std::string>& log_break() const { return log_break_; }
  // Its name, in all the world.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] JournalStats stats() const LARDER_EXCLUDES(mutex_);

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

  SqliteJournal(JournalOptions options, std::unique_ptr<JournalFile> file);
  void take(JournalFile::Contents contents) LARDER_EXCLUDES(mutex_);
  void append(KeptWrite write, Durability durability, WriteLog::Appended done)
      LARDER_EXCLUDES(mutex_, order_);
  [[nodiscard]] Result<Position> enqueue(KeptWrite write, Durability durability,
                                         WriteLog::Appended& done) LARDER_EXCLUDES(mutex_);
  void add(Work work) LARDER_EXCLUDES(mutex_);

  void run() LARDER_EXCLUDES(mutex_);
  void await_company() LARDER_EXCLUDES(mutex_);
  // `late`: a sync is owed, and overdue. `settled_below`: once these works are done.
  void write(std::vector<Work> works, bool late, Position settled_below) LARDER_EXCLUDES(mutex_);
  void report(const Result<void>& kept);
  void tell(Append& append, const Result<void>& kept) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Result<void> commit(const std::vector<Work>& works, bool sync);
  [[nodiscard]] Result<void> carry_out(const Work& work);

  const JournalOptions options_;
  const std::unique_ptr<JournalFile> file_;  // of open(), then of thread_
  std::string id_;                           // as it is from open() on
  std::optional<std::string> log_break_;     // likewise
  std::vector<KeptWrite> recovered_;
  std::optional<Error> reported_;  // of thread_
  Duration sync_takes_{};          // likewise: about so long
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<Position> settled_below_{0};  // as the disk has it
  std::atomic<std::uint64_t> dead_{0};
  std::atomic<std::uint64_t> damaged_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> syncs_{0};

  mutable Mutex mutex_;
  Condition more_;
  std::vector<Work> waiting_ LARDER_GUARDED_BY(mutex_);
  std::vector<Work> again_ LARDER_GUARDED_BY(mutex_);  // of a commit that failed; go first
  std::map<Position, std::uint64_t> costs_ LARDER_GUARDED_BY(mutex_);  // of what pends
  Position next_ LARDER_GUARDED_BY(mutex_) = 1;
  std::size_t want_sync_ LARDER_GUARDED_BY(mutex_) = 0;  // of what waits
  // Those that the last sync answered, and those that waited then: about as many write now.
  std::size_t company_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t met_limit_ LARDER_GUARDED_BY(mutex_) = 0;  // bytes of the last that did; 0: none
  bool unsynced_ LARDER_GUARDED_BY(mutex_) = false;
  bool closing_ LARDER_GUARDED_BY(mutex_) = false;
  // No positions are reserved yet: the next process would give out the same once more.
  bool unreserved_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<Error> failed_ LARDER_GUARDED_BY(mutex_);  // at the last commit
  std::optional<Error> broken_ LARDER_GUARDED_BY(mutex_);  // for good
  // Of what is acknowledged at once: told in the order of its positions. Before mutex_.
  Mutex order_;
  std::thread thread_;
};

}  // namespace larder::behind
