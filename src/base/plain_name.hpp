// Names that stand within others: of caches and namespaces in the keys of a shared tier.
//
// Threads: a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace larder {

// What is wrong with a name that is to have letters, digits, '_', '-' and '.', 64 at most: half a
// sentence; none: nothing.
[[nodiscard]] std::optional<std::string> problem_with_plain_name(std::string_view name);

}  // namespace larder
