// Product pages straight from SQLite: what the shop does without a cache.
//
// A fair opponent: a connection a viewer, the statement prepared once, the whole
// file mapped, 64 MiB of page cache each, no mutexes in SQLite, and the page
// rendered by the code that larder itself uses.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "demo/database.hpp"
#include "larder/error.hpp"
#include "sqlite/row_json.hpp"

namespace larder::demo {

class PageReader {
 public:
  [[nodiscard]] static Result<PageReader> open(const std::filesystem::path& shop);

  // The page of `product` as JSON, until the next call; empty: there is no such product.
  [[nodiscard]] Result<std::string_view> read(std::int64_t product);

 private:
  PageReader(Database database, Statement query, RowShape shape);

  Database database_;
  Statement query_;
  RowShape shape_;
  std::vector<std::size_t> order_;
  std::string page_;
};

}  // namespace larder::demo
