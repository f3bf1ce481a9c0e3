// A configuration's settings as they may be shown to who administers the server.
//
// Threads: a pure function.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace larder {

struct ShownSetting {
  std::string name;   // "server.max_clients", "caches.product.ttl"
  std::string value;  // as a file has it, without quotes; "(redacted)" for a secret
};

// All of them, also those that were left out, in the order of the reference. What came
// from the environment or another file is named by where it came from.
[[nodiscard]] std::vector<ShownSetting> shown_settings(const Config& config);

}  // namespace larder
