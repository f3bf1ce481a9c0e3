// The checksum of a row of the journal, as a function of SQL.
//
// Threads: as SQLite's connection.
#pragma once

struct sqlite3;

namespace larder::behind {

// row_checksum(position, …): XXH3 of the number and of each of the rest with its length, NULL
// apart from "".
void add_row_checksum(sqlite3* database);

}  // namespace larder::behind
