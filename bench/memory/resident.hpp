// How much memory this process has from the system.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace larder::bench {

inline std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace larder::bench
