// Runs a command line in a shell, as people do.
#pragma once

#include <stdio.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace larder::test {

// What it writes to standard output and standard error.
inline std::string shell(const std::string& line) {
  FILE* const pipe = ::popen(("(" + line + ") 2>&1 </dev/null").c_str(), "re");
  if (pipe == nullptr) throw std::system_error{errno, std::generic_category(), line};
  std::string out;
  std::array<char, 65536> room;
  while (const std::size_t size = ::fread(room.data(), 1, room.size(), pipe)) {
    out.append(room.data(), size);
  }
  ::pclose(pipe);
  return out;
}

}  // namespace larder::test
