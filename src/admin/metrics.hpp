// What a server has counted, as Prometheus reads it.
//
// Threads: any.
#pragma once

#include <string>
#include <vector>

#include "server/assembly.hpp"
#include "server/server_state.hpp"

namespace larder {

// The text of /metrics. docs/operations.md says what each line means.
// `shared` is null without a shared tier, `behind` where no cache writes behind.
[[nodiscard]] std::string metrics_text(const ServerState& state, const AssembledSources& sources,
                                       const shared::Tier* shared = nullptr,
                                       const WritesBehind* behind = nullptr);

}  // namespace larder
