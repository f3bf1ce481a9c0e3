// A source's URL, as far as this version goes.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "larder/error.hpp"

namespace larder {

struct SourceUrl {
  SourceKind kind = SourceKind::kSqlite;
  std::string path;  // of a file, as in the URL
};

// "sqlite:shop.db", "sqlite:/var/lib/shop.db", "postgresql://…". Errors are half sentences; they
// quote nothing of the URL but a scheme that larder knows.
[[nodiscard]] Result<SourceUrl> parse_source_url(std::string_view url);

}  // namespace larder
