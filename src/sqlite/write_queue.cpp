#include "sqlite/write_queue.hpp"

#include <new>
#include <utility>

namespace larder {

namespace {

// Writes of one transaction: bounds how long a reader of what was written waits, and how
// many a lost commit takes with it.
constexpr std::size_t kTogether = 256;

void fail_work(SqliteWriteWork work, const Error& error) {
  if (!work.begin()) return;
  work.done(std::vector<Result<Stored<std::string>>>(work.items.size(), std::unexpected{error}));
}

}  // namespace

void SqliteWriteQueue::submit(SqliteWriteWork work) {
  bool start = false;
  std::optional<Error> refusal;
  {
    const MutexLock lock{mutex_};
    if (file_.closing()) {
      refusal = closed_error();
    } else if (waiting_.size() >= file_.options.max_waiting) {
      refusal = Error{Errc::kOverloaded, file_.name + ": " + std::to_string(waiting_.size()) +
                                             " writes wait already; the database is slower than "
                                             "it is written to"};
    } else {
      waiting_.push_back(std::exchange(work, {}));
      start = !std::exchange(working_, true);
    }
  }
  if (refusal) return fail_work(std::move(work), *refusal);
  if (start) runtime_.block([self = shared_from_this()] { self->work_off(); });
}

// One thread's turn: until nothing waits.
void SqliteWriteQueue::work_off() {
  for (;;) {
    std::vector<SqliteWriteWork> works;
    {
      const MutexLock lock{mutex_};
      works = take();
      if (works.empty()) {
        working_ = false;
        return;
      }
    }
    write(std::move(works));
  }
}

std::vector<SqliteWriteWork> SqliteWriteQueue::take() {
  std::vector<SqliteWriteWork> works;
  std::size_t count = 0;
  while (!waiting_.empty() &&
         (works.empty() || count + waiting_.front().items.size() <= kTogether)) {
    count += waiting_.front().items.size();
    works.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return works;
}

void SqliteWriteQueue::write(std::vector<SqliteWriteWork> works) {
  std::erase_if(works, [](SqliteWriteWork& work) { return !work.begin(); });
  std::vector<SqliteWriteTask> tasks;
  for (const SqliteWriteWork& work : works) {
    for (const SqlWriteItem& item : work.items) tasks.push_back({work.plan, item});
  }
  if (tasks.empty()) return;
  std::vector<Result<Stored<std::string>>> outcomes;
  const Result<SqliteConnection*> connection = ready();
  if (!connection) {
    outcomes.assign(tasks.size(), std::unexpected{connection.error()});
  } else {
    try {
      outcomes = write_rows(**connection, tasks, file_);
    } catch (const std::bad_alloc&) {
      connection_.reset();  // which rolls back
      outcomes.assign(tasks.size(),
                      fail(Errc::kOverloaded, file_.name + ": there is not enough memory"));
    }
    if (connection_ && connection_->spent()) connection_.reset();
  }
  auto outcome = std::make_move_iterator(outcomes.begin());
  for (SqliteWriteWork& work : works) {
    const auto end = outcome + static_cast<std::ptrdiff_t>(work.items.size());
    work.done({outcome, end});
    outcome = end;
  }
}

// The connection to the file that is at the path now.
Result<SqliteConnection*> SqliteWriteQueue::ready() {
  if (file_.closing()) return std::unexpected{closed_error()};
  if (connection_) {
    const Result<bool> current = connection_->is_current();
    if (!current) return std::unexpected{current.error()};
    if (!*current) connection_.reset();
  }
  if (!connection_) {
    auto opened = SqliteConnection::open(file_, SqliteConnection::Access::kWrite);
    if (!opened) return std::unexpected{opened.error()};
    connection_ = std::move(*opened);
  }
  return connection_.get();
}

Result<void> SqliteWriteQueue::check(const std::shared_ptr<SqliteWritePlan>& plan) {
  const auto connection = SqliteConnection::open(file_, SqliteConnection::Access::kWrite);
  if (!connection) return std::unexpected{connection.error()};
  (*connection)->start_work();
  const auto statements = (*connection)->write_statements(plan);
  if (!statements) return std::unexpected{statements.error()};
  return {};
}

Error SqliteWriteQueue::closed_error() const {
  return {Errc::kCancelled, file_.name + " is closed"};
}

void SqliteWriteQueue::close() {
  std::deque<SqliteWriteWork> abandoned;
  {
    const MutexLock lock{mutex_};
    abandoned.swap(waiting_);
  }
  for (SqliteWriteWork& work : abandoned) fail_work(std::move(work), closed_error());
}

}  // namespace larder
