// The configuration that the demo writes for `larder serve`.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace larder::demo {

struct Ports {
  std::uint16_t resp = 6380;   // redis-cli
  std::uint16_t admin = 9380;  // metrics and health
};

// The text of larder.toml, beside which shop.db lies. `shared_url`: of the shared tier, if any.
[[nodiscard]] std::string shop_config(const Ports& ports, std::string_view shared_url = {});

}  // namespace larder::demo
