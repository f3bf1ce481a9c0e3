// The right to write behind to one cache of one database, which one process has at a time:
// two with journals of their own would write the same rows in any order.
//
// In PostgreSQL it is an advisory lock, held by a session of its own; through PgBouncer
// (prepared = false) there is none. For a SQLite file it is a byte of the file FILE-larder
// beside it, locked; a file of several names (hard links) is refused. Both end with the process.
//
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "larder/error.hpp"
#include "postgres/claim.hpp"

namespace larder {

class SoleWriter {
 public:
  using Tell = std::function<void(bool well, const std::string& sentence)>;

  // Blocks for some seconds while another process has it; then that is kRefused. `tell` learns
  // that it waits, that it was lost, and that it is held again.
  [[nodiscard]] static Result<std::shared_ptr<SoleWriter>> claim(const SourceConfig& source,
                                                                 const std::string& cache,
                                                                 Tell tell);
  // The same of a PostgreSQL that cannot be reached: it is lost until then.
  [[nodiscard]] static Result<std::shared_ptr<SoleWriter>> claim_later(const SourceConfig& source,
                                                                       const std::string& cache,
                                                                       Tell tell);
  ~SoleWriter();
  SoleWriter(const SoleWriter&) = delete;
  SoleWriter& operator=(const SoleWriter&) = delete;

  // Why nothing may be written now; none: it may.
  [[nodiscard]] std::optional<Error> lost() const;

 private:
  explicit SoleWriter(std::string cache) : cache_{std::move(cache)} {}
  [[nodiscard]] Result<void> claim_file(const std::string& database, const Tell& tell);

  const std::string cache_;
  std::unique_ptr<PostgresClaim> session_;  // null: of SQLite, or none
  int file_ = -1;
};

}  // namespace larder
