// Text → TOML tables, with the mistakes of the syntax put in words.
//
// The one door to the TOML parser: what could make it run deep or long is
// refused before it starts.
//
// Threads: pure functions.
#pragma once

#include <toml++/toml.h>

#include <expected>
#include <string_view>

#include "config/problem.hpp"

namespace larder {

// The tables, or the first mistake: past it, nothing certain can be said.
[[nodiscard]] std::expected<toml::table, Problem> parse_toml(std::string_view text);

[[nodiscard]] Position position_of(const toml::source_region& region);

}  // namespace larder
