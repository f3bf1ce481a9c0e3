// One prepared statement of one connection: its parameters, and the shape of
// its rows, which follows the schema.
//
// Threads: as its connection: one at a time.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "larder/error.hpp"
#include "larder/sql_database.hpp"
#include "sqlite/row_json.hpp"

namespace larder {

class SqliteStatement {
 public:
  // Prepares `sql`, which must be one statement that only reads. Its parameters are bound by the
  // names `parameters`; of a single empty name, the statement's only parameter
  // is bound. Errors show the place in `sql`.
  [[nodiscard]] static Result<SqliteStatement> prepare(
      sqlite3* connection, const std::string& sql, const std::vector<std::string>& parameters,
      const std::vector<std::string>& json_columns);

  // Prepares `sql`, which must be one INSERT, UPDATE or DELETE. Its parameters have any
  // names.
  [[nodiscard]] static Result<SqliteStatement> prepare_write(sqlite3* connection,
                                                             const std::string& sql);

  // Binds each parameter; `values` must live until the statement is reset.
  // An error when `values` lacks one, or SQLite finds it too large.
  [[nodiscard]] Result<void> bind(const SqlParameters& values);

  // Binds values[i] to parameters()[i]; they must live until the statement is reset.
  [[nodiscard]] Result<void> bind(const std::vector<SqlValue>& values);

  // SQLite prepares a statement anew when the schema changed; then its columns
  // may be others. To be called when the first row is there. Whether it was so.
  [[nodiscard]] Result<bool> follow_schema(const std::vector<std::string>& json_columns);

  void reset();

  [[nodiscard]] sqlite3_stmt* get() const { return statement_.get(); }
  [[nodiscard]] const RowShape& shape() const { return shape_; }
  // Their names, in the order of their places.
  [[nodiscard]] const std::vector<std::string>& parameters() const { return parameters_; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  // Prepares `sql` alone.
  [[nodiscard]] static Result<SqliteStatement> compile(sqlite3* connection, const std::string& sql);
  [[nodiscard]] Result<void> bind_at(int place, const SqlValue& value);
  // Checks and keeps the names of the parameters.
  [[nodiscard]] Result<void> name_parameters(const std::string& sql,
                                             const std::vector<std::string>& given);
  [[nodiscard]] int prepared_anew() const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::vector<std::string> parameters_;  // parameters_[i] is bound to i + 1
  RowShape shape_;
  int shaped_at_ = 0;  // prepared_anew() when shape_ was read
};

}  // namespace larder
