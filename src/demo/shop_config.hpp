// The configuration that the demo writes for `larder serve`.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace larder::demo {

struct Ports {
  std::uint16_t resp = 6380;   // redis-cli
  std::uint16_t admin = 9380;  // metrics and health
};

// The text of larder.toml, beside which shop.db lies.
[[nodiscard]] std::string shop_config(const Ports& ports);

}  // namespace larder::demo
