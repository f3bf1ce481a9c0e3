#include "server/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

namespace larder {

namespace {

Duration to_duration(const timeval& time) {
  return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

ByteCount resident_memory() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return {resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))};
}

unsigned open_files() {
  std::error_code ignored;
  const std::filesystem::directory_iterator files{"/proc/self/fd", ignored};
  return static_cast<unsigned>(std::distance(begin(files), end(files)));
}

}  // namespace

ProcessUsage process_usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {.resident = resident_memory(),
          .user_time = to_duration(usage.ru_utime),
          .system_time = to_duration(usage.ru_stime),
          .open_files = open_files()};
}

}  // namespace larder
