// Standard output that may end before what is written to it does: a disk that is full, a reader
// that goes.
//
// Threads: none; one at a time.
#pragma once

#include <cerrno>
#include <iostream>
#include <string>

namespace larder::cli {

class StandardOutput {
 public:
  // Whether it took the parts, so that it is worth going on.
  template <class... Parts>
  bool print(const Parts&... parts) {
    if (failure_ != 0) return false;
    errno = 0;
    (std::cout << ... << parts);
    return look();
  }
  // Has what was printed where it is to go; why it is not, in words. Empty: it is, or whoever read
  // it has gone, and wants no more.
  [[nodiscard]] std::string finish();

 private:
  bool look() {
    if (std::cout.good()) return true;
    failure_ = errno == 0 ? EIO : errno;
    return false;
  }

  int failure_ = 0;  // 0: none yet
};

}  // namespace larder::cli
