// The page workload straight at SQLite: what the shop does without a cache.
//
// A fair opponent: a thread and a connection a viewer, statements prepared once,
// the whole file mapped, 64 MiB of page cache each, no mutexes in SQLite, and the
// page rendered by the code that larder itself uses.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "demo/database.hpp"
#include "demo/workload.hpp"
#include "larder/error.hpp"
#include "sqlite/row_json.hpp"

namespace larder::demo {

// Renders product pages from one connection.
// Threads: one at a time.
class PageReader {
 public:
  [[nodiscard]] static Result<PageReader> open(const std::filesystem::path& shop);

  // Writes the page of `product` over `page`, as JSON; false: there is no such product.
  [[nodiscard]] Result<bool> read(std::int64_t product, std::string& page);

 private:
  PageReader(Database database, Statement query, RowShape shape);

  Database database_;
  Statement query_;
  RowShape shape_;
  std::vector<std::size_t> order_;
};

struct StraightPlan {
  unsigned viewers = 16;
  Duration warm_up = std::chrono::seconds{1};  // seen by nobody
  Duration duration = std::chrono::seconds{5};
  std::uint64_t seed = 42;
};

// Runs it. An error is the first that any thread met; kCancelled after `stop`.
[[nodiscard]] Result<Measured> run_straight(const std::filesystem::path& shop,
                                            const Popularity& popularity, const StraightPlan& plan,
                                            const std::stop_token& stop);

}  // namespace larder::demo
