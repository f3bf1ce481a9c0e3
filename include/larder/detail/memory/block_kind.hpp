// What a block of a shard's arena holds, as its owner flags tell.
//
// The two low bits of an entry's flags are the eviction's. Whoever walks over the
// arena block by block knows by these what to do with each.
#pragma once

#include <cstdint>

namespace larder::detail {

inline constexpr std::uint32_t kNoEntry = 0b100;   // a bit of all that follow
inline constexpr std::uint32_t kMarker = 0b100;    // of an eviction queue
inline constexpr std::uint32_t kOverflow = 0b101;  // bucket of the table
inline constexpr std::uint32_t kTaken = 0b110;     // free, but withheld by clear_run(); or in limbo

}  // namespace larder::detail
