// Debian's PostgreSQL as a child of this process, on a Unix socket in a temporary directory of
// its own, which goes with it. PostgreSQL refuses to run as root; where this process does, it
// runs as the user postgres.
//
// Threads: one at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "demo/child.hpp"
#include "larder/error.hpp"

namespace larder::demo {

class PostgresServer {
 public:
  // Whether there is one to start; the Error says where it comes from.
  [[nodiscard]] static Result<void> look();

  // Makes a database cluster, starts a server on it, and returns when it answers; its log, and
  // those of the programs that it comes with, in `logs`. kCancelled after `stop`. It gets SIGINT
  // when the calling thread ends.
  [[nodiscard]] static Result<PostgresServer> start(const std::filesystem::path& logs,
                                                    const std::stop_token& stop);
  PostgresServer(PostgresServer&& other) noexcept;
  PostgresServer& operator=(PostgresServer&&) = delete;
  ~PostgresServer();

  [[nodiscard]] std::string url() const;
  // What `psql` prints of `sql`, without headings. Waits.
  [[nodiscard]] Result<std::string> run(std::string_view sql) const;

 private:
  explicit PostgresServer(std::filesystem::path logs) : logs_{std::move(logs)} {}

  [[nodiscard]] Result<void> make_directory();
  [[nodiscard]] Result<void> initialise();
  [[nodiscard]] Result<void> serve(const std::stop_token& stop);

  std::filesystem::path logs_;
  std::filesystem::path directory_;  // empty: moved away
  std::optional<Child> child_;       // once it runs
};

}  // namespace larder::demo
