// Who holds a lock on a file.
//
// Threads: any, concurrently.
#pragma once

#include <string>

namespace larder::behind {

// "process 4711 (larder)", or "another process" where the system does not say. Opens no
// file but the system's own: to close one would give up this process's locks on it.
[[nodiscard]] std::string lock_owner(const std::string& file);

}  // namespace larder::behind
