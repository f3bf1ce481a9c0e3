// A SQLite connection and its statements for the demo: as thin as they can be,
// for the straight run is to show SQLite's speed and nobody else's.
//
// Threads: a connection and its statements belong to one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder::demo {

// A prepared statement.
class Statement {
 public:
  enum class Step : std::uint8_t { kRow, kDone };

  explicit Statement(sqlite3_stmt* statement) : statement_{statement} {}

  // Parameters from 1. Text must live until the next reset().
  void bind(int parameter, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), parameter, value);
  }
  void bind(int parameter, std::string_view text) {
    sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }

  [[nodiscard]] Result<Step> step();
  // Steps a statement that has no rows, and makes it ready for the next time.
  [[nodiscard]] Result<void> run();
  void reset() { sqlite3_reset(statement_.get()); }

  // Columns from 0, of the current row; text until the next step or reset.
  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] sqlite3_stmt* get() const { return statement_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { kCreate, kExisting };

  // Errors name the file and say what SQLite says.
  [[nodiscard]] static Result<Database> open(const std::string& path, Mode mode);

  // Runs SQL whose rows nobody wants.
  [[nodiscard]] Result<void> run(const char* sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  // Closes now, so that errors are not lost.
  [[nodiscard]] Result<void> close();

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  Database(sqlite3* connection, std::string path)
      : connection_{connection}, path_{std::move(path)} {}
  [[nodiscard]] std::unexpected<Error> failure(std::string_view doing) const;

  std::unique_ptr<sqlite3, Close> connection_;
  std::string path_;
};

}  // namespace larder::demo
