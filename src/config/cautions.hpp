// Combinations of settings that work, and that few who write them mean.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"

namespace larder {

// Appends warnings to `problems`: each says what comes of it, and what to do.
void add_cautions(const Config& config, std::vector<Problem>& problems);

}  // namespace larder
