// The connections of one database, and the loads that wait for one.
//
// At most `connections` of the runtime's blocking threads work at a time, each
// with a connection of its own. Work waits in order. A connection is opened when it is
// first needed, and anew after an error that only that cures, and when the file
// was replaced.
//
// Threads: any. Owned by the database and by the work that runs; closing does not wait.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/sqlite.hpp"
#include "larder/thread_annotations.hpp"
#include "sqlite/connection.hpp"

namespace larder {

class SqlitePool : public std::enable_shared_from_this<SqlitePool> {
 public:
  // Called exactly once, with a connection or the reason why there is none.
  using Work = std::move_only_function<void(Result<SqliteConnection*> connection)>;

  // Fails when the file cannot be read as a database.
  [[nodiscard]] static Result<std::shared_ptr<SqlitePool>> open(Runtime& runtime, std::string name,
                                                                SqliteOptions options);

  // Runs `work` on a blocking thread; fails it at once, on this one, when the pool is
  // closed or too much waits.
  void run(Work work) LARDER_EXCLUDES(mutex_);

  // Whether the plan's statements can work. Blocks.
  [[nodiscard]] Result<void> check(const std::shared_ptr<const SqlitePlan>& plan)
      LARDER_EXCLUDES(witness_mutex_);

  // Interrupts what runs, fails what waits and what comes. Idempotent.
  void close() LARDER_EXCLUDES(mutex_);

  [[nodiscard]] const SqliteFile& file() const { return file_; }

 private:
  using Connection = std::unique_ptr<SqliteConnection>;

  SqlitePool(Runtime& runtime, std::string name, SqliteOptions options);
  [[nodiscard]] std::optional<Error> refusal_of_more() const LARDER_REQUIRES(mutex_);
  void work_off() LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Result<SqliteConnection*> ready(Connection& connection)
      LARDER_EXCLUDES(witness_mutex_);
  [[nodiscard]] Result<void> renew_witness() LARDER_REQUIRES(witness_mutex_);
  [[nodiscard]] Result<SqliteConnection::FileId> current_file() LARDER_EXCLUDES(witness_mutex_);

  RuntimeHandle runtime_;
  SqliteFile file_;

  Mutex mutex_;
  std::deque<Work> waiting_ LARDER_GUARDED_BY(mutex_);
  std::vector<Connection> idle_ LARDER_GUARDED_BY(mutex_);
  unsigned working_ LARDER_GUARDED_BY(mutex_) = 0;  // threads in work_off(), or on their way

  // Stays open on the file that all others must read, and so keeps the identity of
  // that file from being given to another. It also checks statements.
  Mutex witness_mutex_;
  Connection witness_ LARDER_GUARDED_BY(witness_mutex_);
};

}  // namespace larder
