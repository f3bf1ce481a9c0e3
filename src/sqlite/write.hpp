// Writing rows through one connection: a batch of writes as one transaction.
//
// SQLite takes one writer at a time, and each commit waits for the disk. So what waits is
// written together: each statement stands for itself, since SQLite undoes a failed one alone,
// and all wait for one commit. Where that cannot be had (a statement that rolls the whole
// transaction back, a commit that is refused), each is written in a transaction of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/sql_database.hpp"
#include "sqlite/connection.hpp"

namespace larder {

// How one writer writes, checked. Lives as long as the writer and its work.
struct SqliteWritePlan {
  std::uint64_t id = 0;  // never used twice in one database
  SqlWrite write;
  std::vector<std::string> key;      // the names of its parts
  std::shared_ptr<SqlitePlan> read;  // of the same key
  std::atomic<std::uint64_t> transactions{0};
  std::atomic<bool> keeps_marks{false};  // of write-behind, as its statements were prepared last
};

// One write of a batch.
struct SqliteWriteTask {
  const std::shared_ptr<SqliteWritePlan>& plan;
  const SqlWriteItem& item;
};

// The outcomes of `tasks`, each in its place.
[[nodiscard]] std::vector<Result<Stored<std::string>>> write_rows(
    SqliteConnection& connection, std::span<const SqliteWriteTask> tasks, const SqliteFile& file);

}  // namespace larder
