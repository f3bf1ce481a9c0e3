// Runs the built `larder` as a person's shell would and keeps what it said.
#pragma once

#include <string>
#include <vector>

namespace larder::test {

struct Ran {
  int exit_code = -1;  // 128 + the signal if a signal ended it
  std::string out;
  std::string err;
};

// Waits for its end. Throws std::system_error if it cannot be started.
[[nodiscard]] Ran run_larder(const std::vector<std::string>& arguments);

}  // namespace larder::test
