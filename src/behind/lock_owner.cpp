#include "behind/lock_owner.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace larder::behind {

std::string lock_owner(const std::string& file) {
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0) return "another process";
  // "1: POSIX  ADVISORY  WRITE 4711 fd:01:123456 1073741826 1073742335"
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    int process = 0;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %d %x:%x:%lu", &process, &major_number,
                    &minor_number, &inode) != 4) {
      continue;
    }
    if (inode != about.st_ino || makedev(major_number, minor_number) != about.st_dev) continue;
    if (process <= 0) continue;  // of another namespace
    if (process == ::getpid()) return "this process";
    std::ifstream name{"/proc/" + std::to_string(process) + "/comm"};
    std::string program;
    std::getline(name, program);
    return "process " + std::to_string(process) + (program.empty() ? "" : " (" + program + ")");
  }
  return "another process";
}

}  // namespace larder::behind
