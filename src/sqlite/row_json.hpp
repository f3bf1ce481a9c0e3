// One row of a result as the text of a JSON object, without a document in between.
//
// Threads: as the statement: one at a time.
#pragma once

#include <sqlite3.h>

#include <span>
#include <string>
#include <vector>

#include "larder/error.hpp"
#include "larder/units.hpp"

namespace larder {

// The columns of a statement, ready to be written.
struct RowShape {
  struct Column {
    std::string name;
    std::string label;    // the name as JSON, with the colon
    bool json = false;    // its text is JSON
    bool text = false;    // declared with TEXT affinity
    bool stored = false;  // a table's column, and no expression
  };
  std::vector<Column> columns;
  std::vector<std::size_t> in_order;  // 0, 1, …: all columns as they stand

  // Where `name` stands; npos when it does not.
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  // Refuses a statement without columns, a name that two columns share, and a
  // name in `json_columns` that none has.
  [[nodiscard]] static Result<RowShape> of(sqlite3_stmt* statement,
                                           const std::vector<std::string>& json_columns);
};

// Whether a text in the current row is JSON or not by the engine's mark alone, which
// depends on how SQLite runs the statement.
[[nodiscard]] bool depends_on_marks(sqlite3_stmt* statement, const RowShape& shape);

// Appends the columns `order` of the statement's current row. An error names the
// column; `out` then holds a part of a row. `most` bounds all of `out`.
[[nodiscard]] Result<void> append_row(std::string& out, sqlite3_stmt* statement,
                                      const RowShape& shape, std::span<const std::size_t> order,
                                      ByteCount most);

}  // namespace larder
