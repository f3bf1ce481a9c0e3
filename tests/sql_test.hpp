// What the tests of every SQL database do: prepare, load, and show what came.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/sql_database.hpp"

namespace larder {

inline SqlParameters id(std::int64_t value) { return {{"id", value}}; }
inline SqlParameters id(std::string value) { return {{"id", std::move(value)}}; }

[[nodiscard]] inline std::future<std::vector<Loaded<std::string>>> begin_load(
    SqlReader& reader, std::vector<SqlParameters> keys) {
  auto promise = std::make_shared<std::promise<std::vector<Loaded<std::string>>>>();
  auto future = promise->get_future();
  reader.load(std::move(keys), [promise](auto results) { promise->set_value(std::move(results)); });
  return future;
}
inline std::vector<Loaded<std::string>> load(SqlReader& reader, std::vector<SqlParameters> keys) {
  return begin_load(reader, std::move(keys)).get();
}

// One key's value; "absent", or "error: …".
[[nodiscard]] inline std::string shown(const Loaded<std::string>& loaded) {
  if (!loaded) return "error: " + loaded.error().message;
  return loaded->value_or("absent");
}
[[nodiscard]] inline std::string value(SqlReader& reader, SqlParameters key) {
  return shown(load(reader, {std::move(key)}).front());
}
[[nodiscard]] inline std::vector<std::string> values(SqlReader& reader,
                                                     std::vector<SqlParameters> keys) {
  std::vector<std::string> all;
  for (const auto& loaded : load(reader, std::move(keys))) all.push_back(shown(loaded));
  return all;
}

[[nodiscard]] inline std::future<std::vector<Result<Stored<std::string>>>> begin_write(
    SqlWriter& writer, std::vector<SqlWriteItem> items) {
  auto promise = std::make_shared<std::promise<std::vector<Result<Stored<std::string>>>>>();
  auto future = promise->get_future();
  writer.submit(
      std::move(items), [] { return true; },
      [promise](auto results) { promise->set_value(std::move(results)); });
  return future;
}
inline Result<Stored<std::string>> put(SqlWriter& writer, SqlParameters key, std::string value) {
  return begin_write(writer, {{.key = std::move(key), .value = std::move(value)}}).get().front();
}
inline Result<Stored<std::string>> remove(SqlWriter& writer, SqlParameters key) {
  return begin_write(writer, {{.key = std::move(key)}}).get().front();
}

// What a write left: the row, "absent", "untold"; or "error: …".
[[nodiscard]] inline std::string shown(const Result<Stored<std::string>>& stored) {
  if (!stored) return "error: " + stored.error().message;
  return stored->told ? stored->value.value_or("absent") : "untold";
}

class SqlDatabaseTest : public testing::Test {
 protected:
  // With its default options, unless it is open already.
  virtual SqlDatabase& opened() = 0;

  std::shared_ptr<SqlReader> prepare(SqlRead read, std::vector<std::string> parameters = {"id"}) {
    auto reader = opened().prepare(std::move(read), std::move(parameters));
    if (!reader) throw Failure{reader.error()};
    return *reader;
  }
  std::shared_ptr<SqlReader> prepare(std::string one) {
    return prepare(SqlRead{.one = std::move(one)});
  }
  std::shared_ptr<SqlWriter> prepare_write(SqlWrite write,
                                           std::vector<std::string> parameters = {"id"}) {
    auto writer = opened().prepare_write(std::move(write), std::move(parameters));
    if (!writer) throw Failure{writer.error()};
    return *writer;
  }
  // What prepare_write() says against it.
  std::string write_refusal(SqlWrite write, std::vector<std::string> parameters = {"id"}) {
    auto writer = opened().prepare_write(std::move(write), std::move(parameters));
    return writer ? "it prepares" : writer.error().message;
  }
  // What prepare() says against it.
  std::string refusal(SqlRead read, std::vector<std::string> parameters = {"id"}) {
    auto reader = opened().prepare(std::move(read), std::move(parameters));
    return reader ? "it prepares" : reader.error().message;
  }
  std::string refusal(std::string one) { return refusal(SqlRead{.one = std::move(one)}); }
};

}  // namespace larder
