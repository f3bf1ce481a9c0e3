// Ports to listen on.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>

#include "larder/error.hpp"

namespace larder::demo {

// A port of 127.0.0.1 on which nobody listens now; another may take it before
// you do. `wanted` names one: taken, it is an Error. 0 is any. Unset: `usual`,
// or if that is taken one of the next hundred.
[[nodiscard]] Result<std::uint16_t> free_port(std::optional<std::uint16_t> wanted,
                                              std::uint16_t usual);

}  // namespace larder::demo
