// How long commands took, in steps that double: what LATENCY HISTOGRAM tells.
//
// The steps are those of Redis's histogram, of about a microsecond up to a second; what
// takes longer counts with the last.
//
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace larder {

inline constexpr std::size_t kLatencySteps = 21;

// The longest time of a step, in nanoseconds: 1031, 2063, 4127 …
[[nodiscard]] constexpr std::uint64_t end_of_latency_step(std::size_t step) {
  return (std::uint64_t{1} << (step + 10)) + (std::uint64_t{1} << (step + 3)) - 1;
}

// The step that a time counts with. Hot: once for each look at the clock.
[[nodiscard]] constexpr std::size_t latency_step(std::uint64_t nanoseconds) {
  const auto width = static_cast<std::size_t>(std::bit_width(nanoseconds >> 10));
  const std::size_t step = std::min(width, kLatencySteps - 1);
  return step > 0 && nanoseconds <= end_of_latency_step(step - 1) ? step - 1 : step;
}

}  // namespace larder
