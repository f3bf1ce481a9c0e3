// A SQLite file of a test's own, in a directory that goes away with it, and a
// way to load from it that waits.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"
#include "larder/sqlite.hpp"
#include "sql_test.hpp"

namespace larder {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "larder-sqlite-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Another program's connection, which writes.
class OtherProgram {
 public:
  explicit OtherProgram(const std::string& path) {
    if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) throw std::runtime_error{"open"};
  }
  ~OtherProgram() { sqlite3_close(connection_); }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;

  void execute(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
    const std::string text = message;
    sqlite3_free(message);
    throw std::runtime_error{text + ": " + sql};
  }

  // The first column of the first row.
  [[nodiscard]] std::string ask(const std::string& sql) {
    std::string answer;
    sqlite3_exec(
        connection_, sql.c_str(),
        [](void* to, int, char** row, char**) {
          *static_cast<std::string*>(to) = row[0] != nullptr ? row[0] : "";
          return 0;
        },
        &answer, nullptr);
    return answer;
  }

 private:
  sqlite3* connection_ = nullptr;
};

class SqliteTest : public SqlDatabaseTest {
 protected:
  // Another program's view of the file; creates it.
  OtherProgram& writer() {
    if (!writer_) writer_ = std::make_unique<OtherProgram>(path_);
    return *writer_;
  }
  void execute(const std::string& sql) { writer().execute(sql); }

  SqlDatabase& database(SqliteOptions options = {}) {
    if (!database_) database_ = sqlite(runtime_, path_, options);
    return *database_;
  }
  SqlDatabase& opened() override { return database(); }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("shop.db");
  Runtime runtime_{{.io_threads = 1}};
  std::unique_ptr<OtherProgram> writer_;
  std::shared_ptr<SqlDatabase> database_;
};

}  // namespace larder
