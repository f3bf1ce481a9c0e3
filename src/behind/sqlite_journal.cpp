#include "behind/sqlite_journal.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

namespace larder::behind {

namespace {

// What a write counts besides its bytes: a row and its place in memory.
constexpr std::uint64_t kOverhead = 128;

std::uint64_t cost(const KeptWrite& write) {
  return kOverhead + write.cache.size() + write.key.size() +
         (write.value ? write.value->size() : 0);
}

std::string column_text(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const int size = sqlite3_column_bytes(statement, column);
  return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

void bind_bytes(sqlite3_stmt* statement, int place, std::string_view text) {
  sqlite3_bind_blob64(statement, place, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC);
}

}  // namespace

struct SqliteJournal::Statements {
  ~Statements() {
    for (sqlite3_stmt* each : {insert, settle, bury}) sqlite3_finalize(each);
  }
  sqlite3_stmt* insert = nullptr;
  sqlite3_stmt* settle = nullptr;
  sqlite3_stmt* bury = nullptr;
};

class SqliteJournal::Log final : public WriteLog {
 public:
  Log(std::shared_ptr<SqliteJournal> journal, std::string cache, Durability durability)
      : journal_{std::move(journal)}, cache_{std::move(cache)}, durability_{durability} {}

  void append(std::string key, std::optional<std::string> value, Appended done) override {
    journal_->append({cache_, std::move(key), std::move(value)}, durability_, std::move(done));
  }
  void settle(std::vector<Position> positions) override {
    journal_->add(Settle{std::move(positions)});
  }
  void bury(Position position, const Error& why) override { journal_->add(Bury{position, why}); }

 private:
  const std::shared_ptr<SqliteJournal> journal_;
  const std::string cache_;
  const Durability durability_;
};

SqliteJournal::SqliteJournal(JournalOptions options)
    : options_{std::move(options)},
      file_{(std::filesystem::path{options_.folder} / "journal.db").string()} {}

Result<std::shared_ptr<SqliteJournal>> SqliteJournal::open(JournalOptions options) {
  std::error_code problem;
  std::filesystem::create_directories(options.folder, problem);
  if (problem) {
    return fail(Errc::kRefused,
                "the folder " + options.folder + " cannot be made: " + problem.message());
  }
  const std::shared_ptr<SqliteJournal> journal{new SqliteJournal{std::move(options)}};
  if (const auto prepared = journal->prepare(); !prepared) {
    return std::unexpected{prepared.error()};
  }
  if (const auto recovered = journal->recover(); !recovered) {
    return std::unexpected{recovered.error()};
  }
  journal->thread_ = std::thread{[self = journal.get()] { self->run(); }};
  return journal;
}

SqliteJournal::~SqliteJournal() {
  if (thread_.joinable()) (void)close();
  statements_.reset();
  sqlite3_close(database_);
}

Error SqliteJournal::failure(const char* what) const {
  const int code = sqlite3_errcode(database_);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {Errc::kRefused, "another process has the journal " + file_ +
                                "; a journal has one owner, so stop that one or name another path"};
  }
  return {Errc::kSourceFailed,
          "the journal " + file_ + " cannot be " + what + ": " + sqlite3_errmsg(database_)};
}

// Locked from here on, since the lock of a write-ahead log in exclusive mode is kept.
Result<void> SqliteJournal::prepare() {
  statements_ = std::make_unique<Statements>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file_.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    return std::unexpected{failure("opened")};
  }
  constexpr std::int64_t kVersion = 1;
  const auto keep = [](void* to, int, char** columns, char**) {
    *static_cast<std::int64_t*>(to) = std::strtoll(columns[0], nullptr, 10);
    return 0;
  };
  std::int64_t version = 0;  // of a file that was just made
  constexpr const char* kLook = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version";
  if (sqlite3_exec(database_, kLook, keep, &version, nullptr) != SQLITE_OK) {
    return std::unexpected{failure("opened")};
  }
  if (version != 0 && version != kVersion) {
    return fail(Errc::kRefused, "the journal " + file_ + " has the version " +
                                    std::to_string(version) + ", and this larder knows " +
                                    std::to_string(kVersion) +
                                    ": start the larder that wrote it, which flushes it");
  }
  constexpr const char* kSetup = R"(
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    BEGIN EXCLUSIVE;
    CREATE TABLE IF NOT EXISTS writes (position INTEGER PRIMARY KEY, cache BLOB NOT NULL,
      key BLOB NOT NULL, value BLOB);
    CREATE TABLE IF NOT EXISTS dead_letters (position INTEGER PRIMARY KEY, cache BLOB NOT NULL,
      key BLOB NOT NULL, value BLOB, code TEXT NOT NULL, message TEXT NOT NULL,
      refused_at TEXT NOT NULL);
    PRAGMA user_version = 1;
    COMMIT;)";
  if (sqlite3_exec(database_, kSetup, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected{failure("prepared")};
  }
  const auto prepared = [this](const char* sql, sqlite3_stmt** statement) {
    return sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr) ==
           SQLITE_OK;
  };
  if (!prepared("INSERT INTO writes VALUES (?1, ?2, ?3, ?4)", &statements_->insert) ||
      !prepared("DELETE FROM writes WHERE position = ?1", &statements_->settle) ||
      !prepared("INSERT INTO dead_letters SELECT position, cache, key, value, ?2, ?3, "
                "datetime('now') FROM writes WHERE position = ?1",
                &statements_->bury)) {
    return std::unexpected{failure("prepared")};
  }
  return {};
}

Result<void> SqliteJournal::recover() {
  constexpr const char* kAll = "SELECT position, cache, key, value FROM writes ORDER BY position";
  constexpr const char* kDead =
      "SELECT count(*), coalesce(sum(length(cache) + length(key) + coalesce(length(value), 0)), "
      "0), "
      "coalesce(max(position), 0) FROM dead_letters";
  sqlite3_stmt* statement = nullptr;
  Position last = 0;
  int code = sqlite3_prepare_v2(database_, kAll, -1, &statement, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW) break;
    KeptWrite write{
        .cache = column_text(statement, 1), .key = column_text(statement, 2), .value = {}};
    write.position = static_cast<Position>(sqlite3_column_int64(statement, 0));
    if (sqlite3_column_type(statement, 3) != SQLITE_NULL) write.value = column_text(statement, 3);
    last = write.position;
    bytes_ += cost(write);
    {
      const MutexLock lock{mutex_};
      costs_.emplace(write.position, cost(write));
    }
    recovered_.push_back(std::move(write));
  }
  sqlite3_finalize(statement);
  if (code != SQLITE_DONE) return std::unexpected{failure("read")};

  code = sqlite3_prepare_v2(database_, kDead, -1, &statement, nullptr);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    dead_ = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
    bytes_ += dead_ * kOverhead + static_cast<std::uint64_t>(sqlite3_column_int64(statement, 1));
    last = std::max(last, static_cast<Position>(sqlite3_column_int64(statement, 2)));
  }
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return std::unexpected{failure("read")};
  const MutexLock lock{mutex_};
  next_ = last + 1;
  return {};
}

std::shared_ptr<WriteLog> SqliteJournal::of(std::string cache, Durability durability) {
  return std::make_shared<Log>(shared_from_this(), std::move(cache), durability);
}

void SqliteJournal::append(KeptWrite write, Durability durability, WriteLog::Appended done) {
  if (durability == Durability::kMemory) {
    const MutexLock order{order_};
    WriteLog::Appended none;
    return done(enqueue(std::move(write), durability, none));
  }
  Result<Position> position = enqueue(std::move(write), durability, done);
  if (!position) done(std::move(position));
}

// Takes `done` with the write; leaves it where that is refused.
Result<Position> SqliteJournal::enqueue(KeptWrite write, Durability durability,
                                        WriteLog::Appended& done) {
  const std::uint64_t bytes = cost(write);
  const MutexLock lock{mutex_};
  if (closing_) return fail(Errc::kCancelled, "the journal is closed: larder is shutting down");
  if (bytes_ + bytes > options_.limit.bytes) {
    ++refused_;
    return fail(Errc::kOverloaded,
                "journal full: what the source does not have yet, and the dead letters, take the " +
                    std::to_string(options_.limit.bytes) +
                    " bytes of journal.limit, so nothing was written; is the source up?");
  }
  bytes_ += bytes;
  write.position = next_++;
  costs_.emplace_hint(costs_.end(), write.position, bytes);
  const Position position = write.position;
  waiting_.emplace_back(Append{std::move(write), durability, std::move(done)});
  more_.notify_all();
  return position;
}

void SqliteJournal::add(Work work) {
  const MutexLock lock{mutex_};
  if (const auto* settled = std::get_if<Settle>(&work)) {
    for (const Position position : settled->positions) {
      const auto found = costs_.find(position);
      if (found == costs_.end()) continue;
      bytes_ -= found->second;
      costs_.erase(found);
    }
  }
  waiting_.push_back(std::move(work));
  more_.notify_all();
}

// Takes what waits, until it is closed and nothing does. In between it syncs what nobody
// waits for.
void SqliteJournal::run() {
  const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(options_.interval);
  std::optional<std::chrono::steady_clock::time_point> due;  // of a sync that is owed
  for (;;) {
    std::vector<Work> works;
    bool late = false;
    {
      const MutexLock lock{mutex_};
      if (!unsynced_) due.reset();
      if (unsynced_ && !due) due = std::chrono::steady_clock::now() + interval;
      while (waiting_.empty() && !closing_ && !late) {
        if (!due) {
          more_.wait(mutex_);
        } else {
          late = more_.wait_until(mutex_, *due) == std::cv_status::timeout;
        }
      }
      // However much comes meanwhile.
      late = late || (due && std::chrono::steady_clock::now() >= *due);
      const bool owed = closing_ && unsynced_ && !failed_;
      if (waiting_.empty() && !late && !owed) return;
      works = std::exchange(again_, {});
      std::ranges::move(waiting_, std::back_inserter(works));
      waiting_.clear();
    }
    write(std::move(works), late);
    if (late) due.reset();  // the next, or where that failed another try, an interval later
  }
}

// An empty list is written, too: its commit syncs what came before.
void SqliteJournal::write(std::vector<Work> works, bool late) {
  bool sync = late || works.empty();
  for (const Work& work : works) {
    const auto* append = std::get_if<Append>(&work);
    sync = sync || std::holds_alternative<Bury>(work) ||
           (append != nullptr && append->durability == Durability::kSync);
  }
  const Result<void> kept = commit(works, sync);
  for (Work& work : works) {
    if (auto* const append = std::get_if<Append>(&work)) tell(*append, kept);
  }
  const MutexLock lock{mutex_};
  failed_ = kept ? std::nullopt : std::optional{kept.error()};
  unsynced_ = !kept || !sync;
  if (kept) return;
  // In their order, before any later one: else a write would come back behind its successor.
  std::erase_if(works, [](const Work& work) { return std::holds_alternative<Append>(work); });
  again_ = std::move(works);
}

void SqliteJournal::tell(Append& append, const Result<void>& kept) {
  const Position position = append.write.position;
  if (!kept) {
    const MutexLock lock{mutex_};
    bytes_ -= cost(append.write);
    costs_.erase(position);
  }
  if (!append.done) return;
  if (kept) return append.done(position);
  append.done(std::unexpected{kept.error()});
}

Result<void> SqliteJournal::commit(const std::vector<Work>& works, bool sync) {
  const auto execute = [this](const char* sql) {
    return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  if (!execute(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") ||
      !execute("BEGIN IMMEDIATE")) {
    return std::unexpected{failure("written")};
  }
  Result<void> done;
  // Some page has to change for a commit to sync.
  if (works.empty() && !execute("PRAGMA user_version = 1"))
    done = std::unexpected{failure("written")};
  for (const Work& work : works) {
    if (done) done = carry_out(work);
  }
  if (done && execute("COMMIT")) {
    ++commits_;
    if (sync) ++syncs_;
    return {};
  }
  if (done) {
    done = std::unexpected{failure("synced")};
    done.error().code = Errc::kOutcomeUnknown;
  }
  execute("ROLLBACK");
  return done;
}

Result<void> SqliteJournal::carry_out(const Work& work) {
  const auto step = [this](sqlite3_stmt* statement) {
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done ? Result<void>{} : Result<void>{std::unexpected{failure("written")}};
  };
  const auto settle = [&](Position position) {
    sqlite3_bind_int64(statements_->settle, 1, static_cast<sqlite3_int64>(position));
    return step(statements_->settle);
  };
  if (const auto* append = std::get_if<Append>(&work)) {
    const KeptWrite& write = append->write;
    sqlite3_bind_int64(statements_->insert, 1, static_cast<sqlite3_int64>(write.position));
    bind_bytes(statements_->insert, 2, write.cache);
    bind_bytes(statements_->insert, 3, write.key);
    if (write.value) bind_bytes(statements_->insert, 4, *write.value);
    return step(statements_->insert);
  }
  if (const auto* settled = std::get_if<Settle>(&work)) {
    for (const Position position : settled->positions) {
      if (auto done = settle(position); !done) return done;
    }
    return {};
  }
  const auto& bury = std::get<Bury>(work);
  const std::string code{bury.why.state.empty() ? to_string(bury.why.code)
                                                : std::string_view{bury.why.state}};
  sqlite3_bind_int64(statements_->bury, 1, static_cast<sqlite3_int64>(bury.position));
  sqlite3_bind_text(statements_->bury, 2, code.c_str(), -1, SQLITE_STATIC);
  sqlite3_bind_text(statements_->bury, 3, bury.why.message.c_str(), -1, SQLITE_STATIC);
  if (auto done = step(statements_->bury); !done) return done;
  ++dead_;
  return settle(bury.position);
}

Result<void> SqliteJournal::close() {
  {
    const MutexLock lock{mutex_};
    closing_ = true;
    more_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  statements_.reset();
  sqlite3_close(std::exchange(database_, nullptr));
  const MutexLock lock{mutex_};
  return failed_ ? Result<void>{std::unexpected{*failed_}} : Result<void>{};
}

JournalStats SqliteJournal::stats() const {
  return {.bytes = bytes_,
          .limit = options_.limit.bytes,
          .dead_letters = dead_,
          .refused = refused_,
          .commits = commits_,
          .syncs = syncs_};
}

}  // namespace larder::behind
