// What the SQLite source says when something is wrong.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder {

// The sentence for a failed open or query of the file at `path`; `code` is an
// extended result code, `said` SQLite's own message.
[[nodiscard]] std::string explain(int code, std::string_view path, std::string_view said,
                                  Duration busy_timeout);

}  // namespace larder
