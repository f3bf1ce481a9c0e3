#include "behind/journal_file.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "behind/durable_folder.hpp"
#include "behind/journal_place.hpp"
#include "behind/kept_log.hpp"
#include "behind/lock_owner.hpp"
#include "behind/log_pairing.hpp"
#include "behind/row_checksum.hpp"

namespace larder::behind {

namespace {

constexpr const char* kSetVersion = "PRAGMA user_version = 2";
// Positions that an opening reserves: more than a process gives out between two commits.
constexpr Position kAhead = 1'000'000'000'000;
// Pages of the log from which on it is copied to the database, and begun anew.
constexpr int kLongLog = 1000;

std::string column_text(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const int size = sqlite3_column_bytes(statement, column);
  return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

void bind_bytes(sqlite3_stmt* statement, int place, std::string_view text) {
  sqlite3_bind_blob64(statement, place, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC);
}

bool tells_of_a_disk(int number) {
  return number == EIO || number == EROFS || number == EDQUOT || number == EFBIG ||
         number == ESTALE || number == ENOLCK;
}

void bind_position(sqlite3_stmt* statement, Position position) {
  sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(position));
}

}  // namespace

struct JournalFile::Statements {
  ~Statements() {
    for (sqlite3_stmt* each : {insert, settle, bury, reserve}) sqlite3_finalize(each);
  }
  sqlite3_stmt* insert = nullptr;
  sqlite3_stmt* settle = nullptr;
  sqlite3_stmt* bury = nullptr;
  sqlite3_stmt* reserve = nullptr;
};

JournalFile::JournalFile(const std::string& folder)
    : path_{(std::filesystem::path{folder} / "journal.db").string()} {}

bool has_journal(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path{folder} / "journal.db";
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ||
         std::filesystem::exists(path.string() + "-wal", ignored);
}

Result<std::unique_ptr<JournalFile>> JournalFile::open(const std::string& folder) {
  if (auto fits = check_journal_place(folder); !fits) return std::unexpected{fits.error()};
  if (auto made = make_durable_folder(folder); !made) return std::unexpected{made.error()};
  std::unique_ptr<JournalFile> file{new JournalFile{folder}};
  // Else SQLite would make a new database, and drop the log of the one that was there.
  if (auto whole = check_log_has_a_database(file->path_); !whole) {
    return std::unexpected{whole.error()};
  }
  if (auto prepared = file->prepare(); !prepared) return std::unexpected{prepared.error()};
  return file;
}

JournalFile::~JournalFile() {
  statements_.reset();
  sqlite3_close(database_);
}

Error JournalFile::failure(const char* what) {
  const int code = sqlite3_extended_errcode(database_);
  const int of_system = errno;  // SQLite does not note it where a COMMIT fails
  const std::string journal = "the journal " + path_;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::kRefused, lock_owner(path_) + " has " + journal +
                                  "; a journal has one owner, so stop that one or name another "
                                  "path"};
    case SQLITE_FULL:
      return {Errc::kOverloaded, "the disk of " + journal +
                                     " is full, so nothing was written; make room there, and "
                                     "writes go on"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Errc::kSourceFailed, journal + " cannot be " + what + ": " +
                                       sqlite3_errmsg(database_) +
                                       "; larder needs to write the folder and what is in it"};
    default: break;
  }
  std::string why = sqlite3_errmsg(database_);
  if ((code & 0xff) == SQLITE_IOERR && tells_of_a_disk(of_system)) {
    why += ", " + std::generic_category().message(of_system);
  }
  Error error{Errc::kSourceFailed, journal + " cannot be " + what + ": " + why};
  const bool damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  if (damaged) {
    error.message +=
        "; move its folder away and keep it, since what it held is not in the sources yet; "
        "larder journal dump prints what can be read";
  }
  if (damaged || (code & 0xff) == SQLITE_IOERR) {
    broken_ =
        Error{Errc::kSourceFailed,
              journal + " is not written any more, since it could not be " + what + " (" + why +
                  "): nothing is acknowledged until larder is started again; see to the "
                  "disk first. What was acknowledged before still goes to its source"};
  }
  return error;
}

Result<void> JournalFile::execute(const char* sql, const char* what) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected{failure(what)};
}

Result<void> JournalFile::step(sqlite3_stmt* statement) {
  const bool done = sqlite3_step(statement) == SQLITE_DONE;
  Result<void> result;
  if (!done) result = std::unexpected{failure("written")};
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return result;
}

Result<std::int64_t> JournalFile::number(const char* sql) {
  const auto read = text(sql);
  if (!read) return std::unexpected{read.error()};
  return std::strtoll(read->c_str(), nullptr, 10);
}

Result<std::string> JournalFile::text(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  std::optional<std::string> text;
  if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    text = column_text(statement, 0);
  }
  Result<std::string> result{text.value_or("")};
  if (!text) result = std::unexpected{failure("read")};
  sqlite3_finalize(statement);
  return result;
}

Result<void> JournalFile::prepare() {
  statements_ = std::make_unique<Statements>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path_.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    return std::unexpected{failure("opened")};
  }
  // The log stays as it is until this process has written to it, and after it was broken.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto own = check_log_is_its_own(database_, path_); !own) return own;
  add_row_checksum(database_);
  if (auto exclusive = execute("PRAGMA locking_mode = EXCLUSIVE", "opened"); !exclusive) {
    return exclusive;
  }
  for (const auto step : {&JournalFile::check_version, &JournalFile::lock, &JournalFile::keep_log,
                          &JournalFile::prepare_statements}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

Result<void> JournalFile::check_version() {
  const Error foreign{Errc::kRefused, path_ +
                                          " is no journal, but another program's SQLite database; "
                                          "name a folder for larder alone"};
  const auto application = number("PRAGMA application_id");
  if (!application) return std::unexpected{application.error()};
  const auto version = number("PRAGMA user_version");
  if (!version) return std::unexpected{version.error()};
  const bool empty = *application == 0 && *version == 0;
  if (*application != kApplication && !empty) return std::unexpected{foreign};
  if (*version != 0 && *version != kVersion) {
    return fail(Errc::kRefused,
                "the journal " + path_ + " has the version " + std::to_string(*version) +
                    ", and this larder knows " + std::to_string(kVersion) +
                    ": start the larder that wrote it, which flushes it, and then move its "
                    "folder away");
  }
  is_new_ = *version == 0;
  if (!is_new_) return {};
  const auto tables = number("SELECT count(*) FROM sqlite_master");
  if (!tables) return std::unexpected{tables.error()};
  return *tables == 0 ? Result<void>{} : std::unexpected{foreign};
}

// From here on, since the lock of a write-ahead log in exclusive mode is kept. Of a file that
// is there nothing is written: its disk may be full. A new one is marked before it has a log, so
// that it is told from other databases by its file alone (log_pairing.hpp).
Result<void> JournalFile::lock() {
  if (is_new_) {
    const std::string mark =
        "PRAGMA synchronous = FULL; PRAGMA application_id = " + std::to_string(kApplication);
    if (auto marked = execute(mark.c_str(), "made"); !marked) return marked;
  }
  constexpr const char* kLock = R"(
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    BEGIN EXCLUSIVE;
    COMMIT;)";
  if (auto locked = execute(kLock, "opened"); !locked || !is_new_) return locked;
  constexpr const char* kMake = R"(
    BEGIN EXCLUSIVE;
    CREATE TABLE journal (id TEXT NOT NULL, reserved INTEGER NOT NULL,
      checksum INTEGER NOT NULL);
    CREATE TABLE writes (position INTEGER PRIMARY KEY, cache BLOB NOT NULL,
      key BLOB NOT NULL, value BLOB, written_at INTEGER NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE dead_letters (position INTEGER PRIMARY KEY, cache BLOB NOT NULL,
      key BLOB NOT NULL, value BLOB, written_at INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
      refused_at TEXT NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE damaged (position INTEGER, cache BLOB, key BLOB, value BLOB,
      written_at INTEGER, checksum INTEGER, found_at TEXT NOT NULL);
    INSERT INTO journal SELECT lower(hex(randomblob(16))), 0, 0;
    UPDATE journal SET checksum = row_checksum(0, id);
    PRAGMA user_version = 2;
    COMMIT;)";
  return execute(kMake, "made");
}

// What is written next goes over what stands behind a break, so it is copied first.
Result<void> JournalFile::keep_log() {
  auto kept = keep_broken_log(path_);
  if (!kept) return std::unexpected{std::move(kept.error())};
  log_break_ = std::move(*kept);
  return {};
}

Result<void> JournalFile::prepare_statements() {
  const auto prepared = [this](const char* sql, sqlite3_stmt** statement) {
    return sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr) ==
           SQLITE_OK;
  };
  if (!prepared("INSERT INTO writes VALUES (?1, ?2, ?3, ?4, ?5, row_checksum(?1, ?2, ?3, ?4, ?5))",
                &statements_->insert) ||
      !prepared("DELETE FROM writes WHERE position BETWEEN ?1 AND ?2", &statements_->settle) ||
      !prepared(
          "INSERT INTO dead_letters SELECT position, cache, key, value, written_at, ?2, "
          "?3, datetime('now'), row_checksum(position, cache, key, value, written_at, ?2, ?3, "
          "datetime('now')) FROM writes WHERE position = ?1",
          &statements_->bury) ||
      !prepared("UPDATE journal SET reserved = ?1, checksum = row_checksum(?1, id)",
                &statements_->reserve)) {
    return std::unexpected{failure("prepared")};
  }
  sqlite3_wal_hook(
      database_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<JournalFile*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return {};
}

// Those that are as they were written.
Result<std::vector<KeptWrite>> JournalFile::writes() {
  std::vector<KeptWrite> writes;
  constexpr const char* kAll =
      "SELECT position, cache, key, value FROM writes "
      "WHERE checksum IS row_checksum(position, cache, key, value, written_at) ORDER BY position";
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database_, kAll, -1, &statement, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW) break;
    KeptWrite write{
        .cache = column_text(statement, 1), .key = column_text(statement, 2), .value = {}};
    write.position = static_cast<Position>(sqlite3_column_int64(statement, 0));
    if (sqlite3_column_type(statement, 3) != SQLITE_NULL) write.value = column_text(statement, 3);
    writes.push_back(std::move(write));
  }
  Result<std::vector<KeptWrite>> result{std::move(writes)};
  if (code != SQLITE_DONE) result = std::unexpected{failure("read")};
  sqlite3_finalize(statement);
  return result;
}

Result<JournalFile::Contents> JournalFile::recover() {
  Contents contents;
  contents.log_break = log_break_;
  auto kept = writes();
  if (!kept) return std::unexpected{std::move(kept.error())};
  contents.writes = std::move(*kept);

  const auto count = [&](const char* sql, auto& to) -> Result<void> {
    const auto found = number(sql);
    if (!found) return std::unexpected{found.error()};
    to = static_cast<std::uint64_t>(*found);
    return {};
  };
  Position highest = 0;
  Position reserved = 0;  // 0: its row is damaged
  for (const auto& counted :
       {count("SELECT count(*) FROM dead_letters", contents.dead_letters),
        count("SELECT coalesce(sum(length(cache) + length(key) + coalesce(length(value), 0)), 0) "
              "FROM dead_letters",
              contents.dead_bytes),
        count("SELECT (SELECT count(*) FROM damaged) + (SELECT count(*) FROM writes WHERE checksum "
              "IS NOT row_checksum(position, cache, key, value, written_at))",
              contents.damaged),
        count("SELECT max(coalesce((SELECT max(position) FROM writes), 0), "
              "coalesce((SELECT max(position) FROM dead_letters), 0))",
              highest),
        count("SELECT coalesce((SELECT reserved + 1 FROM journal WHERE checksum IS "
              "row_checksum(reserved, id)), 0)",
              reserved)}) {
    if (!counted) return std::unexpected{counted.error()};
  }
  if (reserved == 0) {
    // Its id may be that of another now.
    if (auto renewed = execute("UPDATE journal SET id = lower(hex(randomblob(16)))", "written");
        !renewed) {
      return std::unexpected{renewed.error()};
    }
  }
  const auto id = text("SELECT id FROM journal");
  if (!id) return std::unexpected{id.error()};
  contents.id = *id;
  contents.last = reserved == 0 ? highest + kAhead : std::max(highest, reserved - 1);
  last_ = contents.last;
  if (auto writable = make_writable(); !writable) {
    if (writable.error().code != Errc::kOverloaded) return std::unexpected{writable.error()};
    contents.full = writable.error();
  }
  return contents;
}

// Before anything else is. What a failed sync of an earlier process left in the system's memory
// alone is written once more at the end, with all that the log holds.
Result<void> JournalFile::make_writable() {
  auto done = reserve(last_);
  if (done) done = put_damaged_aside();
  if (done) done = checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  writable_ = done.has_value();
  return done;
}

Result<void> JournalFile::put_damaged_aside() {
  auto done = execute(R"(
    BEGIN IMMEDIATE;
    INSERT INTO damaged SELECT position, cache, key, value, written_at, checksum, datetime('now')
      FROM writes WHERE checksum IS NOT row_checksum(position, cache, key, value, written_at);
    DELETE FROM writes
      WHERE checksum IS NOT row_checksum(position, cache, key, value, written_at);
    COMMIT;)",
                      "read");
  if (!done) roll_back();
  return done;
}

Result<void> JournalFile::reserve(Position last) {
  bind_position(statements_->reserve, last + kAhead);
  auto done = step(statements_->reserve);
  if (done) reserved_ = last + kAhead;
  return done;
}

// The write-ahead log goes to the database. Where that fails with a full disk the log is just
// longer.
Result<void> JournalFile::checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(database_, nullptr, mode, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return std::unexpected{failure("synced")};
}

Result<void> JournalFile::begin(bool sync) {
  if (broken_) return std::unexpected{*broken_};
  if (!writable_) {
    if (auto writable = make_writable(); !writable) return writable;
  }
  auto set = execute(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", "written");
  return set ? execute("BEGIN IMMEDIATE", "written") : set;
}

Result<void> JournalFile::keep(const KeptWrite& write) {
  if (write.position > reserved_ - kAhead / 2) {
    if (auto reserved = reserve(write.position); !reserved) return reserved;
  }
  sqlite3_stmt* const insert = statements_->insert;
  bind_position(insert, write.position);
  bind_bytes(insert, 2, write.cache);
  bind_bytes(insert, 3, write.key);
  if (write.value) bind_bytes(insert, 4, *write.value);
  // For people alone: nothing is decided by it.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  sqlite3_bind_int64(insert, 5, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  return step(insert);
}

// Those that were written together are settled together: mostly one row of numbers.
Result<void> JournalFile::settle(const std::vector<Position>& positions) {
  for (std::size_t first = 0; first < positions.size();) {
    std::size_t end = first + 1;
    while (end < positions.size() && positions[end] == positions[end - 1] + 1) ++end;
    bind_position(statements_->settle, positions[first]);
    sqlite3_bind_int64(statements_->settle, 2, static_cast<sqlite3_int64>(positions[end - 1]));
    if (auto done = step(statements_->settle); !done) return done;
    first = end;
  }
  return {};
}

Result<void> JournalFile::bury(Position position, const Error& why) {
  const std::string code{why.state.empty() ? to_string(why.code) : std::string_view{why.state}};
  sqlite3_stmt* const bury = statements_->bury;
  bind_position(bury, position);
  sqlite3_bind_text64(bury, 2, code.data(), code.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text64(bury, 3, why.message.data(), why.message.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (auto done = step(bury); !done) return done;
  return settle({position});
}

// Some page has to change for a commit to sync.
Result<void> JournalFile::touch() { return execute(kSetVersion, "written"); }

Result<void> JournalFile::commit() {
  auto done = execute("COMMIT", "synced");
  if (!done) {
    if (done.error().code != Errc::kOverloaded) done.error().code = Errc::kOutcomeUnknown;
    return done;
  }
  if (log_pages_ >= kLongLog) (void)checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  return {};
}

void JournalFile::roll_back() { sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr); }

void JournalFile::close(Position last) {
  if (!broken_ && writable_ && begin(/*sync=*/true)) {
    bind_position(statements_->reserve, last);
    const auto kept = step(statements_->reserve);
    if (!kept || !commit()) roll_back();
  }
  statements_.reset();
  if (!broken_ && writable_)
    sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  sqlite3_close(std::exchange(database_, nullptr));
}

}  // namespace larder::behind
