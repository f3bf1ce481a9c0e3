#include "demo/database.hpp"

#include <utility>

namespace larder::demo {
namespace {

std::unexpected<Error> failed(sqlite3* connection, std::string_view doing, std::string_view path) {
  std::string message{doing};
  message += ' ';
  message += path;
  message += " failed: ";
  message += connection != nullptr ? sqlite3_errmsg(connection) : "out of memory";
  return fail(Errc::kSourceFailed, std::move(message));
}

std::string_view file_of(sqlite3* connection) {
  const char* name = sqlite3_db_filename(connection, "main");
  return name != nullptr ? name : "the database";
}

}  // namespace

Result<Statement::Step> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return Step::kRow;
  if (code == SQLITE_DONE) return Step::kDone;
  sqlite3* const connection = sqlite3_db_handle(statement_.get());
  const auto error = failed(connection, "a statement on", file_of(connection));
  reset();
  return error;
}

Result<void> Statement::run() {
  auto stepped = step();
  if (!stepped) return std::unexpected{std::move(stepped.error())};
  reset();
  return {};
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE |
                    (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database{connection, path};
  if (code != SQLITE_OK) return database.failure("opening");
  return database;
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure("a statement on");
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure("preparing a statement on");
  return Statement{statement};
}

Result<void> Database::close() {
  if (sqlite3_close(connection_.get()) != SQLITE_OK) return failure("closing");
  (void)connection_.release();
  return {};
}

std::unexpected<Error> Database::failure(std::string_view doing) const {
  return failed(connection_.get(), doing, path_);
}

}  // namespace larder::demo
