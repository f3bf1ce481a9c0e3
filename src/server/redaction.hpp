// A command's words as others may see them: in SLOWLOG and MONITOR.
//
// Threads: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "server/command.hpp"

namespace larder {

inline constexpr std::string_view kRedacted = "(redacted)";

// The words, passwords and the names beside them covered. Valid as long as `words` are.
// `command`: the one that the first word names.
[[nodiscard]] std::vector<std::string_view> redacted(const Command& command, Arguments words);

}  // namespace larder
