// What this process has taken of the machine.
//
// Threads: any.
#pragma once

#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder {

struct ProcessUsage {
  ByteCount resident;    // memory
  Duration user_time{};  // CPU, of all threads
  Duration system_time{};
  unsigned open_files = 0;
};

[[nodiscard]] ProcessUsage process_usage();

}  // namespace larder
