// Viewers with a thread each, who get pages by calling a function: how a backend
// with a pool of threads asks its database, or a cache in its own process.
//
// Threads: one at a time; run() has threads of its own while it lasts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "demo/pace.hpp"
#include "demo/workload.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Brings the page of a product; empty: there is no such product. The view holds
// until the next call. Called by one thread at a time.
using PageFunction = std::move_only_function<Result<std::string_view>(std::int64_t product)>;

class ThreadedViewers {
 public:
  // One viewer for each of `pages`. REQUIRES: `popularity` outlives it.
  ThreadedViewers(std::vector<PageFunction> pages, const Popularity& popularity,
                  std::uint64_t seed);

  // Lets all viewers look at pages; they go on where they were the last time.
  // `queries` of the result is 0: whoever was asked knows. An error, or a missing
  // page, ends the run; kCancelled after `stop`.
  [[nodiscard]] Result<Measured> run(const Pace& pace, const std::stop_token& stop);

 private:
  struct Seat {
    PageFunction page;
    Viewer viewer;
  };
  static Result<Measured> view(Seat& seat, Schedule schedule, const std::stop_token& stop);

  std::vector<Seat> seats_;
};

}  // namespace larder::demo
