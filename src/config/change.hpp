// What a configuration changes of another: for a reload, which leaves alone what did
// not change, and refuses what only a restart can change.
//
// Threads: functions without state.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"

namespace larder {

// The names of the settings that differ, as "ttl". Of a section's places in its file
// nothing counts.
[[nodiscard]] std::vector<std::string_view> differences(const SourceConfig& a,
                                                        const SourceConfig& b);
[[nodiscard]] std::vector<std::string_view> differences(const CacheConfig& a, const CacheConfig& b);

// What `wanted` asks for that a process which runs by `running` cannot give: a
// mistake each, at its place in `wanted`.
[[nodiscard]] std::vector<Problem> what_needs_restart(const Config& running, const Config& wanted);

}  // namespace larder
