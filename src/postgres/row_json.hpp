// Rows of a result as the text of JSON objects, without a document in between.
//
// Threads: plain values and pure functions.
#pragma once

#include <libpq-fe.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "larder/error.hpp"
#include "larder/units.hpp"
#include "postgres/value_json.hpp"

namespace larder {

// The types that somebody made, as far as they are more than text.
using PostgresTypes = std::map<Oid, PostgresType>;

// The columns of a statement, ready to be written.
struct PostgresShape {
  struct Column {
    std::string name;
    std::string label;  // the name as JSON, with the colon
    Oid oid = 0;
    PostgresType type{};
  };
  std::vector<Column> columns;
  std::vector<int> in_order;  // 0, 1, …: all columns as they stand

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // Whether `result` has these columns, of these types.
  [[nodiscard]] bool fits(const PGresult* result) const;

  // Refuses a result without columns, a name that two columns share, and a name in
  // `json_columns` that none has. `types`: of columns that are no built-in type.
  [[nodiscard]] static Result<PostgresShape> of(const PGresult* described,
                                                const std::vector<std::string>& json_columns,
                                                const PostgresTypes& types);
};

// Appends the columns `order` of a row. An error names the column; `out` then holds
// a part of a row. `most` bounds all of `out`. REQUIRES: shape.fits(result).
[[nodiscard]] Result<void> append_row(std::string& out, const PGresult* result, int row,
                                      const PostgresShape& shape, std::span<const int> order,
                                      ByteCount most);

}  // namespace larder
