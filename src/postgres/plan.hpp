// How one reader reads, and what its statements were when the database was last
// asked.
//
// Threads: any; a PostgresChecked never changes once it is made.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/error.hpp"
#include "larder/sql_database.hpp"
#include "larder/thread_annotations.hpp"
#include "postgres/describe.hpp"
#include "postgres/target.hpp"

namespace larder {

// A plan's statements.
struct PostgresChecked {
  PostgresStatement one;
  std::optional<PostgresStatement> many;
  std::vector<int> order_of_many;  // of the columns of `one` in `many`
  int key_of_many = 0;             // the column that names the row's key
};

// Lives as long as the reader and its loads.
class PostgresPlan {
 public:
  PostgresPlan(std::uint64_t id, SqlRead read, std::vector<std::string> parameters)
      : id_{id}, read_{std::move(read)}, parameters_{std::move(parameters)} {}

  [[nodiscard]] const SqlRead& read() const { return read_; }
  // Asks the database, and keeps what it says. An error has the SQL and the
  // place in it. Blocks.
  [[nodiscard]] Result<void> check(const PostgresTarget& target) LARDER_EXCLUDES(mutex_);
  // What check() last kept.
  [[nodiscard]] std::shared_ptr<const PostgresChecked> checked() const LARDER_EXCLUDES(mutex_);

  std::atomic<std::uint64_t> queries{0};

 private:
  const std::uint64_t id_;
  const SqlRead read_;
  const std::vector<std::string> parameters_;
  std::atomic<std::uint64_t> checks_{0};
  mutable Mutex mutex_;
  std::shared_ptr<const PostgresChecked> checked_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
