// The shop of `larder demo --postgres`, whose prices are written through larder.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "demo/shop.hpp"
#include "demo/shop_config.hpp"

namespace larder::demo {

// What makes its tables, with as many rows as `plan` says.
[[nodiscard]] std::string written_shop(const ShopPlan& plan);

// The text of larder.toml for it, at the PostgreSQL of `url`.
[[nodiscard]] std::string written_shop_config(const Ports& ports, std::string_view url);

}  // namespace larder::demo
