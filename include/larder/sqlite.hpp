// SQLite databases as sources.
//
//   auto shop = larder::sqlite(runtime, "shop.db");
//   auto products = larder::sql<std::int64_t, Product>(
//       shop, "SELECT id, name, price FROM products WHERE id = :id");
//
// A pool of read-only connections answers loads on the runtime's blocking
// threads, one thread a connection at a time. Rows become JSON objects:
// integers and reals as exact numbers, NULL as null, text as a string, a blob as
// base64, and JSON columns as JSON. docs/sqlite.md says all of it.
//
// Threads: any may call any member, concurrently.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"
#include "larder/units.hpp"

namespace larder {

struct SqliteOptions {
  // Behaviour.
  // Leave the file as it is. Otherwise a file that is not yet in WAL mode is
  // switched to it, so that writers and larder do not wait for each other.
  bool read_only = false;
  Duration busy_timeout = std::chrono::seconds{5};    // waiting for another process's lock
  Duration query_timeout = std::chrono::seconds{10};  // one load; then it is interrupted
  // Limits.
  unsigned connections = 4;          // loads at a time; 1 to 256
  std::size_t max_waiting = 10000;   // loads that wait for a connection; further ones fail
  ByteCount max_value{32ULL << 20};  // one value as JSON; larger ones are an error
  // Speed.
  ByteCount page_cache{8ULL << 20};  // of each connection
};

// Opens the file at `path` ("shop.db" or "sqlite:shop.db"), which must exist and
// be a SQLite database; it is never created. Blocks while it looks at the file.
// `runtime` must outlive the database and its readers.
[[nodiscard]] Result<std::shared_ptr<SqlDatabase>> open_sqlite(Runtime& runtime, std::string path,
                                                               SqliteOptions options = {});

// The same, and throws Failure when it cannot.
[[nodiscard]] std::shared_ptr<SqlDatabase> sqlite(Runtime& runtime, std::string path,
                                                  SqliteOptions options = {});

}  // namespace larder
