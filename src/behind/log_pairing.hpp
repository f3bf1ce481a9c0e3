// Whether the log that stands beside a database is that database's.
//
// SQLite's write-ahead log does not say whose it is. Beside a database that is empty SQLite deletes
// it, unread; beside another database's file it lays the log's pages over that one's. So a journal
// is looked at before SQLite is asked anything: whether it is one of larder's, by the mark of
// larder that it has in its first page, and has pages of the log's size. (Another journal of
// larder's is not told from it.)
//
// Threads: pure but for reading the file; the connection's.
#pragma once

#include <string>

#include "larder/error.hpp"

struct sqlite3;

namespace larder::behind {

// Of a file that is there or not. kRefused: it is gone or empty, and a log stands beside it.
[[nodiscard]] Result<void> check_log_has_a_database(const std::string& path);

// Of one that was just opened by `database`, which has not read it yet. Reads it by SQLite's own
// handle, since to close another would give up this process's locks. kRefused: as above, or it
// is no journal's file, and the log is not its own.
[[nodiscard]] Result<void> check_log_is_its_own(sqlite3* database, const std::string& path);

}  // namespace larder::behind
