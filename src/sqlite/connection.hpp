// One connection to a SQLite file, and its prepared statements.
//
// Threads: one at a time; which one may change between calls. Its database may
// be closing at any time: then what runs is interrupted.
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/sql_database.hpp"
#include "larder/sqlite.hpp"
#include "larder/thread_annotations.hpp"
#include "sqlite/statement.hpp"

namespace larder {

// What all connections of a database share. Immutable, but for the shutdown.
class SqliteFile {
 public:
  SqliteFile(std::string named, SqliteOptions how, const Clock& clock_used);

  const std::string name;  // as the user wrote it, for messages
  const std::string path;  // absolute: the program may change its directory
  const SqliteOptions options;
  const Clock& clock;

  void close() LARDER_EXCLUDES(mutex_);
  [[nodiscard]] bool closing() const { return closing_.load(std::memory_order_relaxed); }
  // Waits a moment for somebody's lock; returns at once when closing.
  void wait_a_little(Duration moment) const LARDER_EXCLUDES(mutex_);

 private:
  std::atomic<bool> closing_{false};
  mutable Mutex mutex_;
  mutable Condition closed_;
};

// How one reader reads, checked. Lives as long as the reader and its loads.
struct SqlitePlan {
  // Whether the statements for one and for many keys gave the same value, when
  // that could depend on how SQLite runs them. With another schema it is open again.
  enum class Agreement : std::uint8_t { kUnknown, kSame, kDifferent };

  // Keys of one query, at most: bounds the list that SQLite parses, and how long
  // one statement runs.
  static constexpr std::size_t kMostAtOnce = 1000;

  std::uint64_t id = 0;  // never used twice in one database
  SqlRead read;
  std::vector<std::string> parameters;
  std::atomic<std::uint64_t> queries{0};
  std::atomic<Agreement> agreement{Agreement::kUnknown};
  // Keys of one query at present: fewer where the values are large. A guess that loads make
  // for those after them.
  std::atomic<std::size_t> keys_at_once{kMostAtOnce};
};

// A plan's statements on one connection.
struct SqliteStatements {
  SqliteStatement one;
  std::optional<SqliteStatement> many;

  // How `many` writes a row as `one` does: for each column of `one`, its place in
  // `many`. Nullopt when their columns do not agree.
  [[nodiscard]] std::optional<std::vector<std::size_t>> order_of_many(const SqlitePlan& plan) const;
};

struct SqliteWritePlan;

// A writing plan's statements on one connection.
struct SqliteWriteStatements {
  SqliteStatement write;
  std::optional<SqliteStatement> remove;
  // Of marks (codec/write_mark.hpp), where the database has the table for them.
  struct Marks {
    SqliteStatement find;
    SqliteStatement set;
    SqliteStatement sweep;
  };
  std::optional<Marks> marks{};
};

class SqliteConnection {
 public:
  enum class Access : std::uint8_t { kRead, kWrite };

  // REQUIRES: `file` outlives the connection.
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(
      const SqliteFile& file, Access access = Access::kRead);
  // Switches the file to WAL mode, if it is not yet and may be written.
  [[nodiscard]] static Result<void> switch_to_wal(const SqliteFile& file);

  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Whether the path still names the file that is open here. False: it was
  // replaced, and a new connection reads the new one. An error: it is gone, or
  // replaced in a way that SQLite would answer wrongly.
  [[nodiscard]] Result<bool> is_current() const;
  // Says which file is open, as long as that is open.
  struct FileId {
    dev_t device;
    ino_t inode;
    friend bool operator==(const FileId&, const FileId&) = default;
  };
  [[nodiscard]] FileId id() const { return *id_; }

  // Work begins: from now on it has the query timeout.
  void start_work();
  // Why what is left of the work is in vain, if it is: it ran out of time, the
  // database closes, or the connection is of no use any more.
  [[nodiscard]] std::optional<Error> in_vain() const;
  // After an error that only a new connection can cure.
  [[nodiscard]] bool spent() const { return spent_.has_value(); }

  // The plan's statements, prepared at the first call.
  [[nodiscard]] Result<SqliteStatements*> statements(const std::shared_ptr<const SqlitePlan>& plan);

  // The same of a plan that writes. REQUIRES: opened to write.
  [[nodiscard]] Result<SqliteWriteStatements*> write_statements(
      const std::shared_ptr<SqliteWritePlan>& plan);
  // They are prepared anew at the next call: a table that they name is gone.
  void forget(const SqliteWritePlan& plan);

  // A transaction that writes: waits for whoever writes now.
  [[nodiscard]] Result<void> begin_write();
  // Nothing: it is done. kRejected: a constraint that was deferred until now; kOutcomeUnknown:
  // the disk failed, and what is on it nobody knows; else it was not done. It is over, whatever
  // it came to.
  [[nodiscard]] std::optional<Error> commit();
  // Whether one is open: an error may have ended it.
  [[nodiscard]] bool in_transaction() const;

  // Runs a statement that writes, with values[i] for its i-th parameter. How many rows it changed.
  [[nodiscard]] Result<std::int64_t> change(SqliteStatement& statement,
                                            const std::vector<SqlValue>& values);

  // Runs a bound statement, and calls `row()` for each row until it fails.
  template <class Row>
  [[nodiscard]] Result<void> run(SqliteStatement& statement, SqlitePlan& plan, Row&& row) {
    const Resetting resetting{statement};
    for (bool first = true;; first = false) {
      const Result<bool> stepped = step(statement);
      if (!stepped) return std::unexpected{stepped.error()};
      if (!*stepped) return {};
      if (first) {
        const Result<bool> changed = statement.follow_schema(plan.read.json_columns);
        if (!changed) return std::unexpected{changed.error()};
        if (*changed) plan.agreement = SqlitePlan::Agreement::kUnknown;
      }
      if (Result<void> taken = row(); !taken) return taken;
    }
  }

  // One snapshot for several statements, until it goes out of scope.
  class Snapshot {
   public:
    explicit Snapshot(SqliteConnection& connection);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

   private:
    SqliteConnection& connection_;
  };

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct Resetting {
    SqliteStatement& statement;
    ~Resetting() { statement.reset(); }
  };
  struct Prepared {
    std::weak_ptr<const SqlitePlan> plan;
    SqliteStatements statements;
  };

  struct PreparedWrite {
    std::weak_ptr<const SqliteWritePlan> plan;
    SqliteWriteStatements statements;
  };

  explicit SqliteConnection(const SqliteFile& file) : file_{file} {}
  [[nodiscard]] Result<void> connect(int flags);
  [[nodiscard]] Result<void> look();
  [[nodiscard]] Result<void> check_length();
  [[nodiscard]] Result<bool> step(SqliteStatement& statement);
  [[nodiscard]] Error write_error(int code);
  [[nodiscard]] Error error(int code);
  [[nodiscard]] Error closing() const;
  [[nodiscard]] Error too_slow() const;
  [[nodiscard]] int execute(const char* sql);
  [[nodiscard]] std::uint64_t number(const char* pragma);  // 0 if it does not say
  [[nodiscard]] bool out_of_time() const;

  static int on_busy(void* self, int attempt);
  static int on_progress(void* self);
  static std::optional<FileId> identify(const std::string& path);

  const SqliteFile& file_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::uint64_t, Prepared> prepared_;  // by the plan's id
  std::unordered_map<std::uint64_t, PreparedWrite> prepared_writes_;
  std::optional<FileId> id_;
  std::optional<FileId> wal_id_;
  TimePoint deadline_ = TimePoint::max();
  TimePoint busy_until_{};
  std::optional<Error> spent_;  // the error that only a new connection can cure
};

}  // namespace larder
