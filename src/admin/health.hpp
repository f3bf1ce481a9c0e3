// Whether a server serves, for load balancers and people.
//
// Threads: any.
#pragma once

#include "admin/admin_server.hpp"
#include "server/server_state.hpp"

namespace larder {

// The page /health: 200 while the server serves, 503 once it shuts down.
[[nodiscard]] AdminPage health_page(const ServerState& state);

}  // namespace larder
