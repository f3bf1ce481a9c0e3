// Kinds of traffic of which it is known what is hard about them, made from a seed.
//
// Threads: plain functions and values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "simulate/trace.hpp"

namespace larder::bench {

struct Traffic {
  std::string_view name;
  std::string_view meaning;
  simulate::Trace (*make)(std::size_t accesses, std::uint64_t seed);
};

// All there are. The popular keys are some thousands; of one kind, sizes differ.
[[nodiscard]] std::span<const Traffic> kinds_of_traffic();

}  // namespace larder::bench
