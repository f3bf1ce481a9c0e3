// `larder demo --postgres`: a product page that is written while it is read, over a PostgreSQL
// that is there for the demo alone. Whoever asks after a write was answered sees it.
#pragma once

#include <ostream>
#include <stop_token>

#include "demo/demonstration.hpp"
#include "demo/progress_bar.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Runs it, telling `out` what happens. Ends after the last step, or, unless `plan.once`, when
// `stop` is requested. kCancelled when stopped before the last step.
[[nodiscard]] Result<void> demonstrate_postgres(const DemonstrationPlan& plan, std::ostream& out,
                                                Screen screen, const std::stop_token& stop);

}  // namespace larder::demo
