#include "sqlite/pool.hpp"

#include <utility>

namespace larder {

SqlitePool::SqlitePool(Runtime& runtime, std::string name, SqliteOptions options)
    : runtime_{runtime.handle()}, file_{std::move(name), options, runtime.clock()} {}

Result<std::shared_ptr<SqlitePool>> SqlitePool::open(Runtime& runtime, std::string name,
                                                     SqliteOptions options) {
  std::shared_ptr<SqlitePool> pool{new SqlitePool{runtime, std::move(name), options}};
  if (!options.read_only) {
    if (auto switched = SqliteConnection::switch_to_wal(pool->file_); !switched) {
      return std::unexpected{switched.error()};
    }
  }
  const MutexLock lock{pool->witness_mutex_};
  if (auto renewed = pool->renew_witness(); !renewed) return std::unexpected{renewed.error()};
  return pool;
}

void SqlitePool::run(Work work) {
  bool start = false;
  std::optional<Error> refusal;
  {
    const MutexLock lock{mutex_};
    refusal = refusal_of_more();
    if (!refusal) {
      waiting_.push_back(std::exchange(work, {}));
      start = working_ < file_.options.connections;
      if (start) ++working_;
    }
  }
  if (refusal) return work(std::unexpected{std::move(*refusal)});
  if (start) runtime_.block([self = shared_from_this()] { self->work_off(); });
}

std::optional<Error> SqlitePool::refusal_of_more() const {
  if (file_.closing()) return Error{Errc::kCancelled, file_.name + " is closed"};
  if (waiting_.size() < file_.options.max_waiting) return std::nullopt;
  return Error{Errc::kOverloaded, file_.name + ": " + std::to_string(waiting_.size()) +
                                      " loads wait for a connection already; the database is "
                                      "slower than it is asked: make the statement faster, or give "
                                      "the source more connections"};
}

// One thread's turn: until nothing waits.
void SqlitePool::work_off() {
  Connection connection;
  {
    const MutexLock lock{mutex_};
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  for (;;) {
    Work work;
    {
      const MutexLock lock{mutex_};
      if (waiting_.empty()) {
        if (connection) idle_.push_back(std::move(connection));
        --working_;
        return;
      }
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work(ready(connection));
    if (connection && connection->spent()) connection.reset();
  }
}

// Makes `connection` one that reads the file which is at the path now.
Result<SqliteConnection*> SqlitePool::ready(Connection& connection) {
  if (file_.closing()) return fail(Errc::kCancelled, file_.name + " is closed");
  const Result<SqliteConnection::FileId> current = current_file();
  if (!current) return std::unexpected{current.error()};
  if (!connection || connection->id() != *current) {
    Result<Connection> opened = SqliteConnection::open(file_);
    if (!opened) return std::unexpected{opened.error()};
    if ((*opened)->id() != *current) {
      return fail(Errc::kSourceFailed, file_.name + " was replaced while it was being opened");
    }
    connection = std::move(*opened);
  }
  connection->start_work();
  return connection.get();
}

Result<SqliteConnection::FileId> SqlitePool::current_file() {
  const MutexLock lock{witness_mutex_};
  if (auto renewed = renew_witness(); !renewed) return std::unexpected{renewed.error()};
  return witness_->id();
}

// The old witness stays until there is a new one: it knows the old file's log.
Result<void> SqlitePool::renew_witness() {
  if (witness_ && !witness_->spent()) {
    const Result<bool> current = witness_->is_current();
    if (!current) return std::unexpected{current.error()};
    if (*current) return {};
  }
  Result<Connection> opened = SqliteConnection::open(file_);
  if (!opened) return std::unexpected{opened.error()};
  witness_ = std::move(*opened);
  return {};
}

Result<void> SqlitePool::check(const std::shared_ptr<const SqlitePlan>& plan) {
  const MutexLock lock{witness_mutex_};
  if (file_.closing()) return fail(Errc::kCancelled, file_.name + " is closed");
  if (auto renewed = renew_witness(); !renewed) return renewed;
  witness_->start_work();
  const auto statements = witness_->statements(plan);
  if (!statements) return std::unexpected{statements.error()};
  return {};
}

void SqlitePool::close() {
  std::deque<Work> abandoned;
  {
    const MutexLock lock{mutex_};
    file_.close();
    abandoned.swap(waiting_);
  }
  for (Work& work : abandoned) work(fail(Errc::kCancelled, file_.name + " is being closed"));
}

}  // namespace larder
