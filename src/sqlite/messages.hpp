// What the SQLite source says when something is wrong.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder {

// The line of `sql` that holds byte `offset`, and a caret under it:
//
//   line 2, column 8:
//     WHERE idd = :id
//           ^
[[nodiscard]] std::string point_at(std::string_view sql, std::size_t offset);

// "a, b, c"; each with `sigil` before it.
[[nodiscard]] std::string join(const std::vector<std::string>& names, std::string_view sigil = "");

// The sentence for a failed open or query of the file at `path`; `code` is an
// extended result code, `said` SQLite's own message.
[[nodiscard]] std::string explain(int code, std::string_view path, std::string_view said,
                                  Duration busy_timeout);

}  // namespace larder
