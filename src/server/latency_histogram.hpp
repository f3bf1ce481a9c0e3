// How long commands took, in steps that double: what LATENCY HISTOGRAM and INFO tell.
//
// The steps are those of Redis's histogram, of about a microsecond up to a second; what
// takes longer counts with the last.
//
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace larder {

inline constexpr std::size_t kLatencySteps = 21;

// How many took how long, by latency_step().
using LatencySteps = std::array<std::uint64_t, kLatencySteps>;

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

[[nodiscard]] constexpr std::uint64_t count_of(const LatencySteps& steps) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : steps) all += count;
  return all;
}

// The time, in nanoseconds, that a share of (0, 1] of them took at most: the end of a step.
// REQUIRES: count_of(steps) > 0.
[[nodiscard]] inline std::uint64_t latency_percentile(const LatencySteps& steps, double share) {
  const auto most = static_cast<std::uint64_t>(
      std::max(std::ceil(share * static_cast<double>(count_of(steps))), 1.0));
  std::uint64_t until = 0;
  std::size_t step = 0;
  while (until + steps[step] < most) until += steps[step++];
  return end_of_latency_step(step);
}

}  // namespace larder
