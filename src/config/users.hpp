// The users that a configuration names.
//
// Threads: a pure function.
#pragma once

#include <memory>

#include "access/users.hpp"
#include "config/config.hpp"

namespace larder {

// REQUIRES: a Config that parse_config() gave.
[[nodiscard]] std::shared_ptr<const Users> make_users(const Config& config);

}  // namespace larder
