// `larder demo --fleet`: three servers over one Redis, and what they promise
// together: one query for all, an invalidation is everybody's, and when Redis dies
// the pages still come.
#pragma once

#include <ostream>
#include <stop_token>

#include "demo/demonstration.hpp"
#include "demo/progress_bar.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Runs it, telling `out` what happens. Ends after the last step, or, unless
// `plan.once`, when `stop` is requested. The ports that the plan names are the
// first server's; the others take free ones after them. kCancelled when stopped
// before the end; kInternal when a promise was not kept.
// REQUIRES: called on the main thread (the servers die with the calling thread).
[[nodiscard]] Result<void> demonstrate_fleet(const DemonstrationPlan& plan, std::ostream& out,
                                             Screen screen, const std::stop_token& stop);

}  // namespace larder::demo
