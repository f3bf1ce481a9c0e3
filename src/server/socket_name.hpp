// What the two ends of a connected socket are called.
//
// Threads: any.
#pragma once

#include "server/client_registry.hpp"

namespace larder {

// As CLIENT LIST shows it; empty names where the system tells none.
[[nodiscard]] ClientOrigin origin_of(int socket);

}  // namespace larder
