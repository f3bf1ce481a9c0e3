// A folder that is still there after a loss of power.
//
// Threads: any, concurrently.
#pragma once

#include <string>

#include "larder/error.hpp"

namespace larder::behind {

// Makes a folder, and those above it, if need be; what is made is synced in the folder that
// holds it. Blocks. kRefused: it cannot be, with the reason.
[[nodiscard]] Result<void> make_durable_folder(const std::string& folder);

}  // namespace larder::behind
