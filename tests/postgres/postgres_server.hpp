// A PostgreSQL of the tests' own: in a temporary directory, on a Unix socket there, as an
// unprivileged user. It ends with the process, whatever happens to that.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/postgres.hpp"
#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"
#include "sql_test.hpp"

namespace larder {

// A program that runs as the unprivileged user, and ends with this one.
class UnprivilegedChild {
 public:
  UnprivilegedChild(const std::vector<std::string>& command, const std::filesystem::path& log);
  ~UnprivilegedChild() { end(SIGQUIT); }
  UnprivilegedChild(const UnprivilegedChild&) = delete;
  UnprivilegedChild& operator=(const UnprivilegedChild&) = delete;

  void end(int signal);
  // Waits; whether it succeeded.
  [[nodiscard]] bool succeeded();
  [[nodiscard]] bool running();

 private:
  pid_t id_ = 0;
  std::optional<int> status_;
};

class PostgresServer {
 public:
  // Null when PostgreSQL is not installed here. `settings`, as "fsync=on", stand above the tests'
  // own. `port` is of its socket's name, and of TCP where a setting has it listen there.
  [[nodiscard]] static std::unique_ptr<PostgresServer> start(std::vector<std::string> settings = {},
                                                             std::uint16_t port = 5432);
  // A replica that follows `primary`, and answers queries.
  [[nodiscard]] static std::unique_ptr<PostgresServer> start_standby(const PostgresServer& primary);
  ~PostgresServer();

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::string url(const std::string& database = "postgres",
                                const std::string& more = "") const;
  void stop(int signal);  // SIGINT: fast, SIGQUIT: at once
  void run();

 private:
  PostgresServer(std::vector<std::string> settings, std::uint16_t port);
  // One of its programs, which must succeed.
  void call(std::vector<std::string> command) const;

  std::vector<std::string> settings_;
  std::uint16_t port_;
  std::filesystem::path binaries_;
  std::filesystem::path directory_;
  std::unique_ptr<UnprivilegedChild> server_;
};

// A directory that the unprivileged user owns.
[[nodiscard]] std::filesystem::path unprivileged_directory();
// A file that the unprivileged user owns, and nobody else reads.
void write_unprivileged(const std::filesystem::path& file, const std::string& text);

// Another program's session.
class PostgresClient {
 public:
  explicit PostgresClient(const std::string& url);
  ~PostgresClient() { PQfinish(session_); }
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  // The first value of the answer, if there is one. Throws when it fails.
  std::string execute(const std::string& sql);

 private:
  PGconn* session_;
};

// Each test has a database of its own, on the program's server.
class PostgresTest : public SqlDatabaseTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Null when it could not be started.
  static PostgresServer* server();
  [[nodiscard]] std::string url(const std::string& more = "") const {
    return server()->url(name_, more);
  }
  PostgresClient& client() {
    if (!client_) client_ = std::make_unique<PostgresClient>(url());
    return *client_;
  }
  std::string execute(const std::string& sql) { return client().execute(sql); }

  SqlDatabase& database(PostgresOptions options = {}) {
    if (!database_) database_ = postgres(runtime_, url(), options);
    return *database_;
  }
  SqlDatabase& opened() override { return database(); }

  std::string name_;
  Runtime runtime_{{.io_threads = 2}};
  std::unique_ptr<PostgresClient> client_;
  std::shared_ptr<SqlDatabase> database_;
};

}  // namespace larder
