#include "cli/standard_output.hpp"

#include <system_error>

namespace larder::cli {

std::string StandardOutput::finish() {
  if (failure_ == 0) {
    errno = 0;
    std::cout.flush();
    look();
  }
  if (failure_ == 0 || failure_ == EPIPE) return "";
  return "standard output does not take all of it: " + std::generic_category().message(failure_);
}

}  // namespace larder::cli
