// Places in a statement, and lists of names, as messages about SQL show them.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// The line of `sql` that holds byte `offset`, and a caret under it:
//
//   line 2, column 8:
//     WHERE idd = :id
//           ^
[[nodiscard]] std::string point_at(std::string_view sql, std::size_t offset);

// Where `sql` names `name`, a table or a column: the first place where it stands as a word
// of its own, upper and lower case alike. No place when it is not there.
[[nodiscard]] std::optional<std::size_t> place_of(std::string_view sql, std::string_view name);

// "a, b, c"; each with `sigil` before it.
[[nodiscard]] std::string join(const std::vector<std::string>& names, std::string_view sigil = "");

}  // namespace larder
