// Whether a server serves, for load balancers and people.
//
// Threads: any.
#pragma once

#include "admin/admin_server.hpp"
#include "server/assembly.hpp"
#include "server/server_state.hpp"

namespace larder {

// The page /health: 200 while the server serves, 503 once it shuts down. It tells of
// each source whether its last load was answered, and for how long that has been so;
// a source that fails changes no status, since what is in memory is still served.
// Where a source that was reached late refuses a statement, and, by `behind`, which may be null,
// where writes are refused, or are not flushed, "status" is "degraded", still with 200 since other
// reads are served, and "reasons" says why.
[[nodiscard]] AdminPage health_page(const ServerState& state, const AssembledSources& sources,
                                    const WritesBehind* behind = nullptr);

}  // namespace larder
