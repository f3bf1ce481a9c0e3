#include "sqlite/messages.hpp"

#include "base/quantity.hpp"

namespace larder {

std::string explain(int code, std::string_view path, std::string_view said, Duration busy_timeout) {
  const std::string file{path};
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return file + " is locked by another process, and stayed so for the busy timeout of " +
             format_duration(busy_timeout) +
             ": end the long transaction, or switch the file to WAL mode (PRAGMA journal_mode = "
             "WAL), in which readers do not wait for a writer. In C++, SqliteOptions::busy_timeout "
             "is how long to wait";
    case SQLITE_CORRUPT:
      return file + " is damaged (" + std::string{said} + "): look at it with `sqlite3 " + file +
             " 'PRAGMA integrity_check'` and restore a backup";
    case SQLITE_NOTADB: return file + " is not a SQLite database, or an encrypted one";
    case SQLITE_READONLY:  // a reader writes too: the log's index, beside a file in WAL mode
    case SQLITE_CANTOPEN:
      return file + " cannot be opened (" + std::string{said} +
             "): it must be readable, and its folder writable while it is in WAL mode";
    case SQLITE_IOERR:
      return file + " cannot be read (" + std::string{said} + "): is its disk well?";
    case SQLITE_TOOBIG:
      return file +
             ": a value is larger than SQLite is allowed to make here, which is max_value, and "
             "64 MiB at least: select less, or raise it (server.max_value in the "
             "configuration)";
    case SQLITE_NOMEM: return file + ": there is not enough memory for the query";
    default: return file + ": " + std::string{said};
  }
}

}  // namespace larder
