// PostgreSQL databases as sources.
//
//   auto shop = larder::postgres(runtime, "postgresql://shop@db/shop");
//   auto products = larder::sql<std::int64_t, Product>(
//       shop, "SELECT id, name, price FROM products WHERE id = :id");
//
// A pool of connections to the primary, never to a replica, answers loads on the
// runtime's I/O threads; what waits for a connection travels together, as one
// pipeline. Rows become JSON objects: numbers with every digit, NULL as null, times in
// ISO 8601, arrays as arrays, json and jsonb as JSON, bytea as base64.
// docs/postgresql.md says all of it.
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

struct PostgresOptions {
  // Behaviour.
  // Prepare each statement once a session. False: send it whole each time, for a
  // PgBouncer in transaction mode, which gives each query another session.
  bool prepared = true;
  Duration query_timeout = std::chrono::seconds{10};  // one query; then it is cancelled
  // Limits.
  unsigned connections = 4;          // at a time; 1 to 256
  std::size_t max_waiting = 10000;   // loads that wait for a connection; further ones fail
  ByteCount max_value{32ULL << 20};  // one value as JSON; larger ones are an error
};

// Connects to the server that `url` names, with any of libpq's options, and looks
// whether it can be used. Blocks. `runtime` must outlive the database and its readers.
[[nodiscard]] Result<std::shared_ptr<SqlDatabase>> open_postgres(Runtime& runtime,
                                                                 const std::string& url,
                                                                 PostgresOptions options = {});

// The same, and throws Failure when it cannot.
[[nodiscard]] std::shared_ptr<SqlDatabase> postgres(Runtime& runtime, const std::string& url,
                                                    PostgresOptions options = {});

}  // namespace larder
