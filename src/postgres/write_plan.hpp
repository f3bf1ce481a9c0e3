// How one writer writes, and what its statements were when the database was last asked.
//
// Threads: any; a PostgresWriteChecked never changes once it is made.
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
#include "postgres/plan.hpp"

namespace larder {

// A writing plan's statements. `read` is null when it is not run: the row comes from
// RETURNING, or is not asked for.
struct PostgresWriteChecked {
  PostgresStatement write;
  std::vector<int> order;  // of the columns that `read` gives, in those that `write` returns
  std::optional<PostgresStatement> remove;
  PostgresStatement read;
  bool reads = false;  // after each put, in its transaction
  // Of marks (codec/write_mark.hpp), where the database has the table for them.
  struct Marks {
    PostgresStatement set;  // fails where there is one
    PostgresStatement take_back;
    PostgresStatement sweep;
  };
  std::optional<Marks> marks;
};

// Lives as long as the writer and its work.
class PostgresWritePlan {
 public:
  PostgresWritePlan(std::uint64_t id, SqlWrite write, std::vector<std::string> key)
      : id_{id}, write_{std::move(write)}, key_{std::move(key)} {}

  [[nodiscard]] const SqlWrite& write() const { return write_; }
  [[nodiscard]] const std::vector<std::string>& key() const { return key_; }
  // Asks the database, and keeps what it says. Blocks.
  [[nodiscard]] Result<void> check(const PostgresTarget& target) LARDER_EXCLUDES(mutex_);
  // What check() last kept.
  [[nodiscard]] std::shared_ptr<const PostgresWriteChecked> checked() const LARDER_EXCLUDES(mutex_);

  std::atomic<std::uint64_t> transactions{0};

 private:
  [[nodiscard]] Result<std::shared_ptr<PostgresWriteChecked>> ask(PGconn* session);

  const std::uint64_t id_;
  const SqlWrite write_;
  const std::vector<std::string> key_;
  std::atomic<std::uint64_t> checks_{0};
  mutable Mutex mutex_;
  std::shared_ptr<const PostgresWriteChecked> checked_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
