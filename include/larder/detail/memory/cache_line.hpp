// How far apart what one thread writes often must lie from what others read: as
// much as processors pass to each other at once.
#pragma once

#include <cstddef>

namespace larder::detail {

inline constexpr std::size_t kCacheLine = 64;

}  // namespace larder::detail
