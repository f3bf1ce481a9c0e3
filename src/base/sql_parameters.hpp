// The parameters that a SQL statement names, found without a database.
//
// Knows what a `:` in SQL may be besides: text in quotes, a comment, a cast
// (`x::int`), an assignment (`:=`), a PostgreSQL slice (`a[1:2]`, `a[:2]`; but a
// slice up to a column, `a[1:n]`, reads as the parameter :n).
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

enum class SqlDialect : std::uint8_t { kSqlite, kPostgres };

struct SqlParameterUse {
  std::string text;    // ":id" as it stands; "?1", "$1", "@id" are not larder's
  std::uint32_t line;  // in the statement, from 1
  std::uint32_t column;
  std::size_t offset;  // of its first byte in the statement

  // "id" of ":id"; empty when it is not written that way.
  [[nodiscard]] std::string_view name() const {
    return text.starts_with(':') ? std::string_view{text}.substr(1) : std::string_view{};
  }
};

// In the order of the text, each use of its own. What is left open (a quote, a
// comment) reaches to the end, as the databases have it. Linear.
[[nodiscard]] std::vector<SqlParameterUse> sql_parameters(std::string_view sql, SqlDialect dialect);

}  // namespace larder
