// A SQLite file of a test's own, in a directory that goes away with it, and a
// way to load from it that waits.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"
#include "larder/sqlite.hpp"

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
class Writer {
 public:
  explicit Writer(const std::string& path) {
    if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) throw std::runtime_error{"open"};
  }
  ~Writer() { sqlite3_close(connection_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

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

inline SqlParameters id(std::int64_t value) { return {{"id", value}}; }
inline SqlParameters id(std::string value) { return {{"id", std::move(value)}}; }

// What a load brings; waits for it.
inline std::vector<Loaded<std::string>> load(SqlReader& reader, std::vector<SqlParameters> keys) {
  std::promise<std::vector<Loaded<std::string>>> promise;
  reader.load(std::move(keys), [&](auto results) { promise.set_value(std::move(results)); });
  return promise.get_future().get();
}

// One key's value; "absent", or "error: …".
inline std::string shown(const Loaded<std::string>& loaded) {
  if (!loaded) return "error: " + loaded.error().message;
  return loaded->value_or("absent");
}
inline std::string value(SqlReader& reader, SqlParameters key) {
  return shown(load(reader, {std::move(key)}).front());
}
inline std::vector<std::string> values(SqlReader& reader, std::vector<SqlParameters> keys) {
  std::vector<std::string> all;
  for (const auto& loaded : load(reader, std::move(keys))) all.push_back(shown(loaded));
  return all;
}

class SqliteTest : public testing::Test {
 protected:
  // Another program's view of the file; creates it.
  Writer& writer() {
    if (!writer_) writer_ = std::make_unique<Writer>(path_);
    return *writer_;
  }
  void execute(const std::string& sql) { writer().execute(sql); }

  SqlDatabase& database(SqliteOptions options = {}) {
    if (!database_) database_ = sqlite(runtime_, path_, options);
    return *database_;
  }
  std::shared_ptr<SqlReader> prepare(SqlRead read, std::vector<std::string> parameters = {"id"}) {
    auto reader = database().prepare(std::move(read), std::move(parameters));
    if (!reader) throw Failure{reader.error()};
    return *reader;
  }
  std::shared_ptr<SqlReader> prepare(std::string one) {
    return prepare(SqlRead{.one = std::move(one)});
  }
  // What prepare() says against it.
  std::string refusal(SqlRead read, std::vector<std::string> parameters = {"id"}) {
    auto reader = database().prepare(std::move(read), std::move(parameters));
    return reader ? "it prepares" : reader.error().message;
  }
  std::string refusal(std::string one) { return refusal(SqlRead{.one = std::move(one)}); }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("shop.db");
  Runtime runtime_{{.io_threads = 1}};
  std::unique_ptr<Writer> writer_;
  std::shared_ptr<SqlDatabase> database_;
};

}  // namespace larder
