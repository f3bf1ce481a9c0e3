// A statement as larder's users write it, and as PostgreSQL takes it: `:name`
// becomes `$1`, `$2`, …, and nothing else changes.
//
// Threads: plain values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/error.hpp"

namespace larder {

struct PostgresText {
  std::string sql;                      // with $1, $2, …
  std::vector<std::string> parameters;  // parameters[i] is bound to $(i + 1); each name once

  // The place in the user's statement of the `character`-th character of `sql`,
  // counted from 1 as PostgreSQL does; in bytes.
  [[nodiscard]] std::size_t origin(std::size_t character) const;

  // Bytes of `sql` from which on, and how far, the user's statement runs ahead.
  struct Shift {
    std::size_t from;
    std::ptrdiff_t by;
  };
  std::vector<Shift> shifts;
};

// Refuses, with the place, a parameter that `given` does not have. Of a single
// empty name, the statement's only parameter is meant, under any name or as $1.
[[nodiscard]] Result<PostgresText> postgres_text(std::string_view sql,
                                                 const std::vector<std::string>& given);

}  // namespace larder
