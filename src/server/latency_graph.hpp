// LATENCY GRAPH: the slow seconds as a picture of text, as Redis draws it.
//
// Threads: a pure function.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "server/slow_log.hpp"

namespace larder {

// A line that says what the picture is of, four rows of columns, one for each spike, and
// below each how long it is ago at `now`, since 1970: 5s, 2m, 3h, 1d. At most 80 columns
// stand beside each other; those of later spikes follow below. REQUIRES: there are spikes.
[[nodiscard]] std::string latency_graph(std::string_view event,
                                        std::span<const SlowLog::Spike> spikes,
                                        std::chrono::milliseconds worst, std::chrono::seconds now);

}  // namespace larder
