// What must hold between settings, each of which is right by itself.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"

namespace larder {

// Appends what is wrong to `problems`. Settings that could not be read keep
// their defaults in `config`, and are not reported a second time.
void check_config(const Config& config, std::vector<Problem>& problems);

}  // namespace larder
