// What somebody who misspelt a name probably meant.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace larder {

// How many typing mistakes lie between the two: letters added, left out,
// replaced, or swapped with their neighbour. Case counts for nothing.
// (Optimal string alignment: Damerau 1964, Wagner and Fischer 1974.)
// Names longer than 64 bytes are cut there: this is for names, not for texts.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The one of `names` that is nearest to `name`, the first of several; nothing
// when none is near enough (a third of its letters, at least one) to be believed.
[[nodiscard]] std::optional<std::string_view> nearest_name(std::string_view name,
                                                           std::span<const std::string_view> names);

}  // namespace larder
