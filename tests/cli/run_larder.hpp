// Runs the built `larder` as a person's shell would and keeps what it said.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace larder::test {

struct Ran {
  int exit_code = -1;  // 128 + the signal if a signal ended it
  std::string out;
  std::string err;
};

// A `larder` that runs. It is killed if it still runs when this goes out of scope.
// Threads: one at a time.
class Larder {
 public:
  // Standard input holds `input`, at most 32 KiB. Throws std::system_error if it
  // cannot be started.
  explicit Larder(const std::vector<std::string>& arguments, std::string_view input = "");
  ~Larder();
  Larder(const Larder&) = delete;
  Larder& operator=(const Larder&) = delete;

  // Waits until standard output holds `text`; false: it ended without.
  [[nodiscard]] bool says(std::string_view text);
  void signal(int number) const;
  // Waits for its end. Once.
  [[nodiscard]] Ran finish();

  // What it has said so far.
  [[nodiscard]] const std::string& out() const { return ran_.out; }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  // Waits for more output; false: there will be none.
  bool listen();

  pid_t process_ = -1;
  std::array<int, 2> streams_{-1, -1};  // its output and its errors; -1: closed
  Ran ran_;
};

// Runs it to its end.
[[nodiscard]] Ran run_larder(const std::vector<std::string>& arguments,
                             std::string_view input = "");

}  // namespace larder::test
