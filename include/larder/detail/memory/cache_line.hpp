// What processors pass to each other at once: so far apart must lie what one thread writes
// often and what others read.
#pragma once

#include <cstddef>

namespace larder::detail {

inline constexpr std::size_t kCacheLine = 64;

// Has the processor fetch the line for itself alone. GCC's and Clang's own way only reads on
// x86-64, so that the write would ask the other cores again.
inline void fetch_to_write(const void* at) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace larder::detail
