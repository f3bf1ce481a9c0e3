// `larder demo`: the product page of a shop, straight from SQLite and through
// larder, measured side by side; then the server stays up to be tried.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <stop_token>

#include "demo/progress_bar.hpp"
#include "demo/shop.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder::demo {

struct DemonstrationPlan {
  std::filesystem::path directory = "var/demo";  // of shop.db, larder.toml and serve.log
  std::filesystem::path program;                 // larder itself, to run `serve`
  ShopPlan shop;
  unsigned viewers = 16;                        // pages asked for at a time, both ways
  Duration duration = std::chrono::seconds{3};  // of each measured run
  // Unset: 6380 and 9380, or free ones near them. 0: any free one.
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> admin_port;
  bool once = false;  // end after the table
};

// Runs it, telling `out` what happens. Ends after the table, or, unless `once`,
// when `stop` is requested. kCancelled when stopped before the table.
// REQUIRES: called on the main thread (the server dies with the calling thread).
[[nodiscard]] Result<void> demonstrate(const DemonstrationPlan& plan, std::ostream& out,
                                       Screen screen, const std::stop_token& stop);

}  // namespace larder::demo
