// The shop that a demonstration works with, told of as it is made ready.
//
// Threads: one.
#pragma once

#include <filesystem>
#include <ostream>
#include <stop_token>

#include "demo/progress_bar.hpp"
#include "demo/shop.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Builds the shop of `wanted` as `file`, or keeps it from an earlier run, and tells `out`
// which. kRefused when `file` is nothing that build_shop() made; kCancelled after `stop`.
[[nodiscard]] Result<void> prepare_shop(const std::filesystem::path& file, const ShopPlan& wanted,
                                        std::ostream& out, Screen screen,
                                        const std::stop_token& stop);

}  // namespace larder::demo
