// The settings' records as text for people.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder {

// One setting ("caches.ttl", also as it stands in a file, "caches.product.ttl",
// and "ttl" alone where it is the only one) or one section ("caches"). An
// unknown name is kInvalidArgument, with the nearest valid one.
[[nodiscard]] Result<std::string> explain_setting(std::string_view name);

// docs/reference/configuration.md.
[[nodiscard]] std::string configuration_reference();

}  // namespace larder
