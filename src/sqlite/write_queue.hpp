// The writes of one database that wait, and the one connection that writes them.
//
// SQLite takes one writer at a time, so one of the runtime's blocking threads works at a
// time: it takes what waits, up to a bound, and writes it as one transaction (write.hpp).
//
// Threads: any. Owned by the database and by the work that runs; closing does not wait.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/write.hpp"

namespace larder {

// Writes as they came: whoever gets them calls `begin` once, and then `done`.
struct SqliteWriteWork {
  std::shared_ptr<SqliteWritePlan> plan;
  std::vector<SqlWriteItem> items;
  SqlWriter::Begin begin;
  SqlWriter::Done done;
};

class SqliteWriteQueue : public std::enable_shared_from_this<SqliteWriteQueue> {
 public:
  // `keep` owns `file`.
  SqliteWriteQueue(RuntimeHandle runtime, const SqliteFile& file, std::shared_ptr<void> keep)
      : runtime_{std::move(runtime)}, file_{file}, keep_{std::move(keep)} {}

  void submit(SqliteWriteWork work) LARDER_EXCLUDES(mutex_);

  // Whether the plan's statements can work. Blocks.
  [[nodiscard]] Result<void> check(const std::shared_ptr<SqliteWritePlan>& plan);

  // Fails what waits and what comes. The file is closed by its pool.
  void close() LARDER_EXCLUDES(mutex_);

 private:
  void work_off() LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<SqliteWriteWork> take() LARDER_REQUIRES(mutex_);
  void write(std::vector<SqliteWriteWork> works);
  [[nodiscard]] Result<SqliteConnection*> ready();
  [[nodiscard]] Error closed_error() const;

  const RuntimeHandle runtime_;
  const SqliteFile& file_;
  const std::shared_ptr<void> keep_;

  Mutex mutex_;
  std::deque<SqliteWriteWork> waiting_ LARDER_GUARDED_BY(mutex_);
  bool working_ LARDER_GUARDED_BY(mutex_) = false;

  std::unique_ptr<SqliteConnection> connection_;  // of the thread that works
};

}  // namespace larder
