#include "behind/journal_desk.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "behind/journal_file.hpp"
#include "behind/kept_log.hpp"
#include "behind/lock_owner.hpp"
#include "behind/log_pairing.hpp"
#include "behind/row_checksum.hpp"

namespace larder::behind {

namespace {

namespace fs = std::filesystem;

std::string text_of(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const int size = sqlite3_column_bytes(statement, column);
  return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

JournalDesk::Row row_of(sqlite3_stmt* statement) {
  JournalDesk::Row row{.position = static_cast<Position>(sqlite3_column_int64(statement, 0)),
                       .cache = text_of(statement, 1),
                       .key = text_of(statement, 2),
                       .written_at = sqlite3_column_int64(statement, 4),
                       .whole = sqlite3_column_int(statement, 5) != 0};
  if (sqlite3_column_type(statement, 3) != SQLITE_NULL) row.value = text_of(statement, 3);
  return row;
}

}  // namespace

Result<std::unique_ptr<JournalDesk>> JournalDesk::open(const std::string& place, Purpose purpose) {
  std::error_code none;
  fs::path path{place};
  if (fs::is_directory(path, none)) path /= "journal.db";
  if (!fs::is_regular_file(path, none)) {
    return fail(Errc::kRefused, "there is no journal " + path.string() +
                                    "; name the folder that journal.path names, or the journal.db "
                                    "in it");
  }
  std::unique_ptr<JournalDesk> desk{new JournalDesk{path.string()}};
  auto prepared = desk->prepare(purpose);
  if (!prepared && purpose == Purpose::kLook && sqlite3_errcode(desk->database_) == SQLITE_BUSY) {
    prepared = desk->open_copy();
  }
  if (!prepared) return std::unexpected{prepared.error()};
  return desk;
}

// From then on SQLite has the file and its log open, in exclusive mode without another file, and
// asks for neither by its name again.
Result<void> JournalDesk::open_copy() {
  owner_ = lock_owner(path_);
  sqlite3_close(std::exchange(database_, nullptr));
  auto taken = JournalSnapshot::take(path_);
  if (!taken) return std::unexpected{std::move(taken.error())};
  copy_ = std::move(*taken);
  auto prepared = prepare(Purpose::kLook);
  if (prepared) log_of_copy_ = scan_log(file() + "-wal");
  copy_.reset();
  return prepared;
}

Result<LogScan> JournalDesk::log() const {
  return log_of_copy_ ? *log_of_copy_ : scan_log(log_path());
}

JournalDesk::~JournalDesk() { sqlite3_close(database_); }

Error JournalDesk::failure(const char* what) const {
  const int code = sqlite3_errcode(database_);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {Errc::kRefused, lock_owner(path_) + " has the journal " + path_ +
                                "; stop it first: to look is all that can be done beside it"};
  }
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    std::error_code unknown;
    return {Errc::kSourceFailed,
            "the journal " + path_ + ", of " + std::to_string(fs::file_size(path_, unknown)) +
                " bytes, is cut off or damaged (" + sqlite3_errmsg(database_) + "): it cannot be " +
                what + " to its end, only what comes before; keep the file and its -wal"};
  }
  return {Errc::kSourceFailed,
          "the journal " + path_ + " cannot be " + what + ": " + sqlite3_errmsg(database_)};
}

// In exclusive mode the log needs no memory that is shared, so that nothing is written. The log
// stays as it is until it is known to be this journal's, and what stands behind a break is kept.
Result<void> JournalDesk::prepare(Purpose purpose) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file().c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    return std::unexpected{failure("opened")};
  }
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto own = check_log_is_its_own(database_, file()); !own) return own;
  add_row_checksum(database_);
  if (auto set = execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL"); !set) {
    return set;
  }
  const auto application = number("PRAGMA application_id");
  if (!application) return std::unexpected{application.error()};
  const auto version = number("PRAGMA user_version");
  if (!version) return std::unexpected{version.error()};
  std::error_code unknown;
  if (*version == 0 && fs::file_size(file(), unknown) == 0) {
    return fail(Errc::kRefused, path_ + " is empty: it was cut off, or larder never wrote to it");
  }
  if (*application != JournalFile::kApplication) {
    return fail(Errc::kRefused, path_ + " is no journal, but another program's SQLite database");
  }
  if (*version != JournalFile::kVersion) {
    return fail(Errc::kRefused, path_ + " is no journal that this larder knows: its version is " +
                                    std::to_string(*version) + ", and should be " +
                                    std::to_string(JournalFile::kVersion));
  }
  return purpose == Purpose::kMend ? prepare_to_mend() : Result<void>{};
}

Result<void> JournalDesk::prepare_to_mend() {
  if (auto locked = execute("BEGIN IMMEDIATE; COMMIT"); !locked) return locked;
  auto kept = keep_broken_log(path_);
  if (!kept) return std::unexpected{std::move(kept.error())};
  log_break_ = std::move(*kept);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return {};
}

Result<void> JournalDesk::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected{failure("opened")};
}

Result<void> JournalDesk::read(const char* sql, const std::function<bool(sqlite3_stmt*)>& row) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr);
  if (code == SQLITE_OK) {
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && row(statement)) {
    }
  }
  Result<void> done;
  if (code != SQLITE_DONE && code != SQLITE_ROW) done = std::unexpected{failure("read")};
  sqlite3_finalize(statement);
  return done;
}

Result<std::int64_t> JournalDesk::number(const char* sql) {
  std::int64_t number = 0;
  const auto read = this->read(sql, [&](sqlite3_stmt* row) {
    number = sqlite3_column_int64(row, 0);
    return true;
  });
  if (!read) return std::unexpected{read.error()};
  return number;
}

Result<void> JournalDesk::pending(const Each& each) {
  return read(
      "SELECT position, cache, key, value, written_at, "
      "checksum IS row_checksum(position, cache, key, value, written_at) FROM writes "
      "ORDER BY position",
      [&](sqlite3_stmt* row) { return each(row_of(row)); });
}

Result<void> JournalDesk::dead_letters(const Each& each) {
  return read(
      "SELECT position, cache, key, value, written_at, checksum IS row_checksum(position, cache, "
      "key, value, written_at, code, message, refused_at), code, message, refused_at "
      "FROM dead_letters ORDER BY position",
      [&](sqlite3_stmt* statement) {
        Row row = row_of(statement);
        row.code = text_of(statement, 6);
        row.message = text_of(statement, 7);
        row.refused_at = text_of(statement, 8);
        return each(std::move(row));
      });
}

Result<void> JournalDesk::damaged(const Each& each) {
  return read("SELECT position, cache, key, value, written_at, 0 FROM damaged ORDER BY position",
              [&](sqlite3_stmt* row) { return each(row_of(row)); });
}

Result<std::vector<std::string>> JournalDesk::faults() {
  std::vector<std::string> faults;
  auto done = read("PRAGMA integrity_check", [&](sqlite3_stmt* row) {
    faults.push_back(text_of(row, 0));
    return true;
  });
  if (!done) return std::unexpected{done.error()};
  if (faults == std::vector<std::string>{"ok"}) faults.clear();
  return faults;
}

Result<int> JournalDesk::change(const char* sql, Position position,
                                const std::optional<std::string>& value) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(position));
    if (value) sqlite3_bind_blob64(statement, 2, value->data(), value->size(), SQLITE_STATIC);
    code = sqlite3_step(statement);
  }
  Result<int> changed{code == SQLITE_DONE ? sqlite3_changes(database_) : 0};
  if (code != SQLITE_DONE) changed = std::unexpected{failure("written")};
  sqlite3_finalize(statement);
  return changed;
}

Result<void> JournalDesk::at_once(const std::function<Result<void>()>& change) {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto changed = change();
  auto ended = execute(changed ? "COMMIT" : "ROLLBACK");
  return changed ? ended : changed;
}

Result<void> JournalDesk::revive(Position position, std::optional<std::string> value) {
  // A removal stays one unless it is given a value. A row that is not as it was written is not
  // given a checksum that hides it.
  auto revived = change(
      "INSERT INTO writes SELECT position, cache, key, coalesce(?2, value), written_at, "
      "row_checksum(position, cache, key, coalesce(?2, value), written_at) FROM dead_letters "
      "WHERE position = ?1 AND checksum IS row_checksum(position, cache, key, value, written_at, "
      "code, message, refused_at)",
      position, value);
  if (revived && *revived == 0) {
    return fail(Errc::kInvalidArgument, "there is no dead letter " + std::to_string(position) +
                                            " in " + path_ +
                                            " that is as it was written, so nothing was changed");
  }
  if (revived) revived = change("DELETE FROM dead_letters WHERE position = ?1", position);
  return revived ? Result<void>{} : std::unexpected{revived.error()};
}

Result<void> JournalDesk::park(Position position) {
  auto parked = change(
      "WITH parked AS (SELECT position, cache, key, value, written_at, 'parked' AS code, "
      "'given up with `larder journal park`; the source may have it or not' AS message, "
      "datetime('now') AS refused_at FROM writes WHERE position = ?1 AND "
      "checksum IS row_checksum(position, cache, key, value, written_at)) "
      "INSERT INTO dead_letters SELECT *, row_checksum(position, cache, key, value, written_at, "
      "code, message, refused_at) FROM parked",
      position);
  if (parked && *parked == 0) {
    return fail(Errc::kInvalidArgument, "no write " + std::to_string(position) + " is pending in " +
                                            path_ +
                                            " that is as it was written, so nothing was changed");
  }
  if (parked) parked = change("DELETE FROM writes WHERE position = ?1", position);
  return parked ? Result<void>{} : std::unexpected{parked.error()};
}

Result<void> JournalDesk::drop(Position position) {
  for (const char* sql : {"DELETE FROM dead_letters WHERE position = ?1",
                          "DELETE FROM damaged WHERE position = ?1"}) {
    const auto changed = change(sql, position);
    if (!changed) return std::unexpected{changed.error()};
    if (*changed > 0) return {};
  }
  return fail(Errc::kInvalidArgument, "there is no dead letter " + std::to_string(position) +
                                          " in " + path_ + ", nor a damaged row");
}

}  // namespace larder::behind
