#include "sqlite/connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/quantity.hpp"
#include "base/sql_place.hpp"
#include "codec/write_fields.hpp"
#include "codec/write_mark.hpp"
#include "sqlite/messages.hpp"
#include "sqlite/write.hpp"

namespace larder {

namespace {

// How many of SQLite's instructions run between two looks at the clock: some
// ten microseconds, against some tens of nanoseconds for the look.
constexpr int kInstructions = 1000;

constexpr int kReadOnly = SQLITE_OPEN_READONLY;
constexpr int kReadWrite = SQLITE_OPEN_READWRITE;

bool cured_by_a_new_connection(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
    case SQLITE_MISUSE: return true;
    default: return false;
  }
}

// SQLite has no code for it. The write is not to blame, and the table may come back.
bool is_about_the_schema(std::string_view said) {
  return said.starts_with("no such table: ") || said.starts_with("no such column: ") ||
         said.contains(" has no column named ");
}

// SQLite's own limit on one string, blob or row, so that a query cannot take all
// memory on its way to a value. Well above what schemas and lists of keys need.
int length_limit(ByteCount max_value) {
  constexpr std::uint64_t kLeast = 64ULL << 20U;
  constexpr std::uint64_t kMost = 1'000'000'000;  // SQLite's default
  return static_cast<int>(std::clamp(max_value.bytes, kLeast, kMost));
}

// Only a regular file can be a database; to open a pipe would wait without end.
Result<void> check_kind(const SqliteFile& file) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(file.path, ignored);
  if (std::filesystem::is_directory(status)) {
    return fail(Errc::kSourceFailed, file.name + " is a folder; name the database's file in it");
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return fail(Errc::kSourceFailed, file.name + " is a pipe, a socket or a device, and no file");
  }
  return {};
}

}  // namespace

SqliteFile::SqliteFile(std::string named, SqliteOptions how, const Clock& clock_used)
    : name{std::move(named)},
      path{std::filesystem::absolute(name).string()},
      options{how},
      clock{clock_used} {}

void SqliteFile::close() {
  {
    const MutexLock lock{mutex_};
    closing_.store(true, std::memory_order_relaxed);
  }
  closed_.notify_all();
}

void SqliteFile::wait_a_little(Duration moment) const {
  const MutexLock lock{mutex_};
  if (!closing()) closed_.wait_for(mutex_, moment);
}

std::optional<std::vector<std::size_t>> SqliteStatements::order_of_many(
    const SqlitePlan& plan) const {
  std::vector<std::size_t> order;
  for (const RowShape::Column& column : one.shape().columns) {
    const std::size_t at = many->shape().find(column.name);
    if (at == RowShape::npos) return std::nullopt;
    order.push_back(at);
  }
  const bool key_is_extra = one.shape().find(plan.read.many_key) == RowShape::npos;
  const std::size_t wanted = order.size() + (key_is_extra ? 1 : 0);
  if (many->shape().columns.size() != wanted) return std::nullopt;
  return order;
}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const SqliteFile& file,
                                                                 Access access) {
  std::unique_ptr<SqliteConnection> made{new SqliteConnection{file}};
  const std::optional<FileId> before = identify(file.path);
  if (!before) {
    return fail(Errc::kSourceFailed,
                file.name + " does not exist; a database is never created here");
  }
  if (auto checked = check_kind(file); !checked) return std::unexpected{checked.error()};
  const bool writes = access == Access::kWrite;
  if (auto connected = made->connect(writes ? kReadWrite : kReadOnly); !connected)
    return std::unexpected{connected.error()};
  if (writes && sqlite3_db_readonly(made->connection_.get(), "main") == 1) {
    return fail(Errc::kSourceFailed,
                file.name + " cannot be written: it is read-only for this user");
  }
  if (writes) (void)made->execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  if (auto looked = made->look(); !looked) return std::unexpected{looked.error()};

  made->id_ = identify(file.path);
  if (made->id_ != before) {
    return fail(Errc::kSourceFailed, file.name + " was replaced while it was being opened");
  }
  made->wal_id_ = identify(file.path + "-wal");
  return made;
}

Result<void> SqliteConnection::switch_to_wal(const SqliteFile& file) {
  SqliteConnection writer{file};
  // What cannot be written is read as it is: open() tells whether that works.
  if (!check_kind(file) || !writer.connect(kReadWrite)) return {};
  sqlite3* connection = writer.connection_.get();
  if (sqlite3_db_readonly(connection, "main") == 1) return {};

  writer.start_work();
  const int code = writer.execute("PRAGMA journal_mode = WAL");
  const int kind = code & 0xFF;
  if (kind == SQLITE_OK || kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN) return {};
  return std::unexpected{writer.error(code)};
}

Result<void> SqliteConnection::connect(int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file_.path.c_str(), &opened,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  connection_.reset(opened);
  if (code != SQLITE_OK) return std::unexpected{error(code)};

  sqlite3_busy_handler(opened, &on_busy, this);
  sqlite3_progress_handler(opened, kInstructions, &on_progress, this);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, length_limit(file_.options.max_value));
  return {};
}

// SQLite opens lazily: only a first read tells what the file is.
Result<void> SqliteConnection::look() {
  start_work();
  const int code = execute("SELECT count(*) FROM sqlite_schema");
  if (code != SQLITE_OK) return std::unexpected{error(code)};

  if (auto whole = check_length(); !whole) return whole;

  const auto kibibytes = static_cast<std::int64_t>(file_.options.page_cache.bytes >> 10U);
  const std::string settings = "PRAGMA cell_size_check = ON; PRAGMA cache_size = -" +
                               std::to_string(std::max(kibibytes, std::int64_t{64}));
  const int set = execute(settings.c_str());
  if (set != SQLITE_OK) return std::unexpected{error(set)};
  return {};
}

// What a file that was cut off has lost reads as empty: rows would be missing without an
// error. Pages that are in the log alone are no loss.
Result<void> SqliteConnection::check_length() {
  // While it is read nobody may shorten it.
  if (const int begun = execute("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1"); begun != SQLITE_OK)
    return std::unexpected{error(begun)};
  std::error_code none;
  const std::string wal = file_.path + "-wal";
  const bool log = std::filesystem::exists(wal, none) && std::filesystem::file_size(wal, none) > 0;
  const std::uintmax_t bytes = std::filesystem::file_size(file_.path, none);
  const std::uint64_t pages = number("PRAGMA page_count") * number("PRAGMA page_size");
  (void)execute("COMMIT");
  if (log || none || bytes >= pages) return {};
  return fail(Errc::kSourceFailed,
              explain(SQLITE_CORRUPT, file_.name,
                      std::to_string(pages - bytes) + " bytes are missing at its end",
                      file_.options.busy_timeout));
}

Result<bool> SqliteConnection::is_current() const {
  const std::optional<FileId> now = identify(file_.path);
  if (now == id_) return true;
  if (!now)
    return fail(Errc::kSourceFailed,
                file_.name + " was removed while it was in use: put it there again");

  // While this connection holds the old file's log open, its inode is not
  // given to another: the same inode is the same log.
  const std::string wal = file_.path + "-wal";
  std::error_code none;
  const bool old_log = !wal_id_ || identify(wal) == wal_id_;
  if (old_log && std::filesystem::exists(wal, none) && std::filesystem::file_size(wal, none) > 0) {
    return fail(Errc::kSourceFailed,
                file_.name +
                    " was replaced, but the old file's write-ahead log is still there, and SQLite "
                    "would mix it into the new file: stop the writers, remove " +
                    file_.name + "-wal and -shm, and put the new file there again");
  }
  return false;
}

void SqliteConnection::start_work() { deadline_ = file_.clock.now() + file_.options.query_timeout; }

bool SqliteConnection::out_of_time() const { return file_.clock.now() >= deadline_; }

std::optional<Error> SqliteConnection::in_vain() const {
  if (file_.closing()) return closing();
  if (out_of_time()) return too_slow();
  return spent_;
}

Error SqliteConnection::closing() const {
  return {Errc::kCancelled, file_.name + " is being closed"};
}

Error SqliteConnection::too_slow() const {
  return {Errc::kSourceFailed, file_.name + ": the query took longer than the query timeout of " +
                                   format_duration(file_.options.query_timeout) +
                                   " and was interrupted: an index may be missing (EXPLAIN QUERY "
                                   "PLAN shows it); the limit is the source's load_timeout in the "
                                   "configuration, SqliteOptions::query_timeout in C++"};
}

Result<SqliteStatements*> SqliteConnection::statements(
    const std::shared_ptr<const SqlitePlan>& plan) {
  if (const auto found = prepared_.find(plan->id); found != prepared_.end()) {
    return &found->second.statements;
  }
  const auto checked = [&](Result<SqliteStatement> statement) -> Result<SqliteStatement> {
    if (statement) return statement;
    return fail(statement.error().code, file_.name + ": " + statement.error().message);
  };
  const SqlRead& read = plan->read;
  sqlite3* connection = connection_.get();
  auto one =
      checked(SqliteStatement::prepare(connection, read.one, plan->parameters, read.json_columns));
  if (!one) return std::unexpected{one.error()};

  SqliteStatements made{.one = std::move(*one), .many = std::nullopt};
  if (!read.many.empty()) {
    auto many =
        checked(SqliteStatement::prepare(connection, read.many, {"ids"}, read.json_columns));
    if (!many) return std::unexpected{many.error()};
    made.many = std::move(*many);
    const auto names = [](const SqliteStatement& of) { return join(of.shape().names()); };
    if (made.many->shape().find(read.many_key) == RowShape::npos) {
      return fail(Errc::kInvalidArgument,
                  file_.name + ": the statement for many keys has no column " + read.many_key +
                      " to tell the rows' keys; it has " + names(*made.many) + ":\n  " + read.many);
    }
    if (!made.order_of_many(*plan)) {
      return fail(Errc::kInvalidArgument,
                  file_.name +
                      ": the statements for one and for many keys must give the same "
                      "columns; for one: " +
                      names(made.one) + "; for many: " + names(*made.many) + ":\n  " + read.many);
    }
  }
  std::erase_if(prepared_, [](const auto& entry) { return entry.second.plan.expired(); });
  return &prepared_.emplace(plan->id, Prepared{plan, std::move(made)}).first->second.statements;
}

// What the plan reads is prepared too: it is what a put leaves.
Result<SqliteWriteStatements*> SqliteConnection::write_statements(
    const std::shared_ptr<SqliteWritePlan>& plan) {
  if (const auto found = prepared_writes_.find(plan->id); found != prepared_writes_.end()) {
    return &found->second.statements;
  }
  const SqlWrite& write = plan->write;
  const auto refuse = [&](Errc code, const std::string& why) {
    return fail(code, file_.name + ": " + why);
  };
  sqlite3* connection = connection_.get();
  auto put = SqliteStatement::prepare_write(connection, write.write);
  if (!put) return refuse(put.error().code, put.error().message);
  const Result<SqliteStatements*> read = statements(plan->read);
  if (!read) return std::unexpected{read.error()};

  SqliteWriteStatements made{.write = std::move(*put), .remove = std::nullopt};
  if (auto wrong = check_write_names(made.write.parameters(), plan->key, write)) {
    return refuse(wrong->code, wrong->message);
  }
  if (!write.remove.empty()) {
    auto remove = SqliteStatement::prepare_write(connection, write.remove);
    if (!remove) return refuse(remove.error().code, remove.error().message);
    if (auto wrong = check_remove_names(remove->parameters(), plan->key, write)) {
      return refuse(wrong->code, wrong->message);
    }
    made.remove = std::move(*remove);
  }
  auto find = SqliteStatement::prepare_write(connection, kFindMark);
  auto set = SqliteStatement::prepare_write(connection, kSetMark);
  auto sweep = SqliteStatement::prepare_write(connection, kSweepMarks);
  if (find && set && sweep) {
    made.marks.emplace(std::move(*find), std::move(*set), std::move(*sweep));
  } else {
    // Without the table there are no marks; one that does not fit is a mistake.
    for (const auto* each : {&find, &set, &sweep}) {
      if (!*each && !each->error().message.contains("no such table: ")) {
        return refuse(each->error().code, std::string{kMarksMisfit} + each->error().message);
      }
    }
  }
  plan->keeps_marks.store(made.marks.has_value(), std::memory_order_relaxed);
  std::erase_if(prepared_writes_, [](const auto& entry) { return entry.second.plan.expired(); });
  return &prepared_writes_.emplace(plan->id, PreparedWrite{plan, std::move(made)})
              .first->second.statements;
}

void SqliteConnection::forget(const SqliteWritePlan& plan) { prepared_writes_.erase(plan.id); }

Result<void> SqliteConnection::begin_write() {
  const int code = execute("BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return std::unexpected{write_error(code)};
  return {};
}

std::optional<Error> SqliteConnection::commit() {
  const int code = execute("COMMIT");
  if (code == SQLITE_OK) return std::nullopt;
  Error error = write_error(code);
  if ((code & 0xFF) == SQLITE_IOERR) {
    error = {Errc::kOutcomeUnknown, file_.name + ": the disk failed during the commit (" +
                                        sqlite3_errmsg(connection_.get()) +
                                        "). Whether it was done is not known: read the row to see"};
  }
  if (in_transaction()) (void)execute("ROLLBACK");
  return error;
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

// Rows that it returns are passed over.
Result<std::int64_t> SqliteConnection::change(SqliteStatement& statement,
                                              const std::vector<SqlValue>& values) {
  const Resetting resetting{statement};
  if (const Result<void> bound = statement.bind(values); !bound) {
    return fail(bound.error().code, file_.name + ": " + bound.error().message);
  }
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement.get());
  if (code != SQLITE_DONE) return std::unexpected{write_error(code)};
  return sqlite3_changes64(connection_.get());
}

// What the database refuses to be written, as against what could not be written now.
Error SqliteConnection::write_error(int code) {
  const std::string said = sqlite3_errmsg(connection_.get());
  if (code == SQLITE_ERROR && is_about_the_schema(said)) {
    return {Errc::kSourceFailed, file_.name + ": the statement no longer fits the schema: " + said};
  }
  switch (code & 0xFF) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
      return {Errc::kRejected,
              file_.name + " refuses it: " + said + " (" + sqlite3_errstr(code) +
                  ", SQLite's code " + std::to_string(code) + ')',
              std::to_string(code)};
    case SQLITE_FULL:
      return {Errc::kSourceFailed, file_.name + " cannot be written: its disk is full"};
    case SQLITE_READONLY: return {Errc::kSourceFailed, file_.name + " cannot be written: " + said};
    default: return error(code);
  }
}

Result<bool> SqliteConnection::step(SqliteStatement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected{error(code)};
}

Error SqliteConnection::error(int code) {
  if (file_.closing()) return closing();
  if ((code & 0xFF) == SQLITE_INTERRUPT) return too_slow();
  const char* said = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  Error error{Errc::kSourceFailed, explain(code, file_.name, said, file_.options.busy_timeout)};
  if (cured_by_a_new_connection(code)) spent_ = error;
  return error;
}

std::uint64_t SqliteConnection::number(const char* pragma) {
  std::uint64_t value = 0;
  const auto keep = [](void* to, int, char** columns, char**) {
    *static_cast<std::uint64_t*>(to) = std::strtoull(columns[0], nullptr, 10);
    return 0;
  };
  (void)sqlite3_exec(connection_.get(), pragma, keep, &value, nullptr);
  return value;
}

int SqliteConnection::execute(const char* sql) {
  return sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
}

// Called while another process has a lock that is needed; 0 gives up.
int SqliteConnection::on_busy(void* self, int attempt) {
  auto& me = *static_cast<SqliteConnection*>(self);
  if (attempt == 0) me.busy_until_ = me.file_.clock.now() + me.file_.options.busy_timeout;
  if (me.file_.closing() || me.out_of_time() || me.file_.clock.now() >= me.busy_until_) return 0;
  me.file_.wait_a_little(std::chrono::milliseconds{std::min(attempt + 1, 20)});
  return 1;
}

// Called every so many instructions; other than 0 interrupts the statement.
int SqliteConnection::on_progress(void* self) {
  const auto& me = *static_cast<SqliteConnection*>(self);
  return me.file_.closing() || me.out_of_time() ? 1 : 0;
}

std::optional<SqliteConnection::FileId> SqliteConnection::identify(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

// Neither can fail in a way that the statements between would not tell.
SqliteConnection::Snapshot::Snapshot(SqliteConnection& connection) : connection_{connection} {
  (void)connection_.execute("BEGIN");
}
SqliteConnection::Snapshot::~Snapshot() { (void)connection_.execute("ROLLBACK"); }

}  // namespace larder
