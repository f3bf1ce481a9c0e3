// How long processors have worked: for one thread, or for another process.
//
// Threads: any.
#pragma once

#include <sys/types.h>

#include <ctime>

#include "larder/clock.hpp"

namespace larder::demo {

[[nodiscard]] inline Duration processor_time(clockid_t clock) {
  timespec time{};
  // A process that has ended has no clock any more: zero.
  if (::clock_gettime(clock, &time) != 0) return Duration::zero();
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// The calling thread, since it began.
[[nodiscard]] inline Duration processor_time_of_this_thread() {
  return processor_time(CLOCK_THREAD_CPUTIME_ID);
}

// All threads of a process, since it began.
[[nodiscard]] inline Duration processor_time_of(pid_t process) {
  clockid_t clock{};
  if (::clock_getcpuclockid(process, &clock) != 0) return Duration::zero();
  return processor_time(clock);
}

}  // namespace larder::demo
