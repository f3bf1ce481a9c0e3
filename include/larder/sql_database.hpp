// SQL databases, as what every kind of them does: check a statement, load rows as JSON
// text, and write them from it. sql.hpp makes typed sources of it, sql_writer.hpp typed
// writers; sqlite.hpp and postgres.hpp open one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "larder/error.hpp"
#include "larder/source.hpp"
#include "larder/writer.hpp"

namespace larder {

// A value bound to a statement's parameter. Bound by type, never pasted into SQL.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct SqlParameter {
  std::string name;  // "id" for :id; empty: the statement's only parameter
  SqlValue value;

  friend bool operator==(const SqlParameter&, const SqlParameter&) = default;
};
using SqlParameters = std::vector<SqlParameter>;

// How one cache reads from a SQL database.
struct SqlRead {
  // Answers one key. A row becomes a JSON object; no row means absent; a second
  // row is an error.
  std::string one;
  // Every row counts: the value is a JSON array of rows, and no row is an empty array.
  bool rows = false;
  // Answers many keys with one query: `:ids` is bound to the list of the keys' only
  // part (for SQLite a JSON array, for PostgreSQL an array, as in `= ANY(:ids)`), and
  // each row names its key in the column `many_key`. Its other columns are those of
  // `one`, in any order; `many_key` becomes part of the value when `one` has it too.
  // Empty: many keys are asked one by one, in one transaction or one round trip.
  std::string many{};
  std::string many_key{};
  // Columns whose text is JSON and is embedded as such, besides those that the
  // database itself knows to be JSON.
  std::vector<std::string> json_columns{};
};

// How many keys one load of `read` carries at most. One statement answers many; keys that
// are read one by one share the load's timeout, and none is kept before the last is read.
[[nodiscard]] inline std::size_t most_keys_of(const SqlRead& read) {
  return read.many.empty() ? 100 : 1000;
}

// A prepared SqlRead. Loads JSON text.
// Threads: any, concurrently.
class SqlReader {
 public:
  using Done = std::move_only_function<void(std::vector<Loaded<std::string>> results)>;
  using Begin = std::move_only_function<bool()>;

  virtual ~SqlReader() = default;
  // As Source::submit of a source that answers in parts, one element of `keys` a key.
  virtual void submit(std::vector<SqlParameters> keys, Begin begin, Done done) = 0;
  // As Source::load.
  void load(std::vector<SqlParameters> keys, Done done) {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }
  [[nodiscard]] virtual std::string describe() const = 0;
  [[nodiscard]] virtual std::size_t most_keys() const = 0;  // of one load; see most_keys_of
  [[nodiscard]] virtual std::uint64_t queries() const = 0;  // statements run since the start
};

// How one cache writes to a SQL database. Statements name the parts of the key and the
// fields of the value, a JSON object, as parameters, and bind them by their types.
struct SqlWrite {
  // Writes the row of a put: one INSERT, UPDATE or DELETE. A field that it names must be in
  // the value. It must change at least one row.
  std::string write;
  // Removes the row of a key: empty, no removals are taken.
  std::string remove{};
  // Of the cache. What it brings for the key in the same transaction is what a put leaves;
  // or in PostgreSQL, when `write` has RETURNING with the same columns, that row.
  SqlRead read;
  // A put leaves the value as it was given. Else there would have to be no default, no
  // trigger and nothing from another table in it.
  bool keep_value = false;
  // A parameter of `write` that compares the row's version, as in WHERE … AND version =
  // :version. If no row is changed although there is one, that is kConflict.
  std::string version{};
};

struct SqlWriteItem {
  SqlParameters key;
  std::optional<std::string> value{};  // JSON; none: a removal
  // Kept, in the write's transaction, where the database has a table for it.
  std::optional<WriteMark> mark{};
};

// A prepared SqlWrite.
// Threads: any, concurrently.
class SqlWriter {
 public:
  using Done = std::move_only_function<void(std::vector<Result<Stored<std::string>>> results)>;
  using Begin = std::move_only_function<bool()>;

  virtual ~SqlWriter() = default;
  // As Writer::submit. Errors: kInvalidArgument, the value cannot be bound; kRejected, the
  // database refuses it, in its own words; kConflict; kSourceFailed, nothing was
  // written for another reason; kOutcomeUnknown.
  virtual void submit(std::vector<SqlWriteItem> items, Begin begin, Done done) = 0;
  [[nodiscard]] virtual std::string describe() const = 0;
  [[nodiscard]] virtual bool removes() const = 0;
  [[nodiscard]] virtual std::uint64_t transactions() const = 0;  // committed since the start
  // Whether the database keeps marks of what write-behind sends, so that a write that is sent
  // twice is done once; as far as is known now.
  [[nodiscard]] virtual bool keeps_marks() const { return false; }
};

// A SQL database. Threads: any, concurrently.
class SqlDatabase {
 public:
  virtual ~SqlDatabase() = default;
  // Checks the statements against the database now: a statement that does not
  // prepare, or a parameter that `parameters` does not name, is an Error with
  // the SQL, the position and the database's own message. Blocks: for start-up,
  // not for I/O threads. The reader keeps the database open.
  [[nodiscard]] virtual Result<std::shared_ptr<SqlReader>> prepare(
      SqlRead read, std::vector<std::string> parameters) = 0;
  // The same for statements that write; those of the key are `parameters`, and what else
  // they name are fields. Nothing is written by checking.
  [[nodiscard]] virtual Result<std::shared_ptr<SqlWriter>> prepare_write(
      SqlWrite write, std::vector<std::string> parameters) = 0;

  // Calls off the loads that run and those that wait: they end with kCancelled, as
  // does every later one. Writes likewise, but that what already commits is waited for
  // or unknown. Does not wait for it. Happens by itself when the
  // last owner of the database and of its readers lets go.
  virtual void close() = 0;
};

}  // namespace larder
