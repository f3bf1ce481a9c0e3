// A folder that is still there after a loss of power.
//
// Threads: any, concurrently.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "larder/error.hpp"

namespace larder::behind {

// Makes a folder, and those above it, if need be; what is made is synced in the folder that
// holds it. Blocks. kRefused: it cannot be, with the reason.
[[nodiscard]] Result<void> make_durable_folder(const std::string& folder);

// Has what a file holds, or which files a folder holds, on the disk. Empty: this folder. Blocks.
[[nodiscard]] std::error_code sync_path(const std::filesystem::path& path);

}  // namespace larder::behind
