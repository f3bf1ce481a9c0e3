// A program that this one started, and that does not outlive it.
//
// Threads: one at a time, but terminate() and kill() may be called by any at any time
// between start() and destruction.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "demo/processor_time.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder::demo {

class Child {
 public:
  // Starts `program`, its output and errors appended to `log`. It gets SIGTERM
  // when the thread that called start() ends, however that comes about, and is
  // in a process group of its own: the terminal's Ctrl-C does not reach it.
  [[nodiscard]] static Result<Child> start(const std::filesystem::path& program,
                                           const std::vector<std::string>& arguments,
                                           const std::filesystem::path& log);

  Child(Child&& other) noexcept
      : process_{std::exchange(other.process_, -1)},
        descriptor_{std::exchange(other.descriptor_, -1)} {}
  Child& operator=(Child&&) = delete;
  // Asks it to end, and kills it if it has not within ten seconds.
  ~Child();

  // What its threads have worked since its start; zero once it has ended.
  [[nodiscard]] Duration processor_time() const { return processor_time_of(process_); }

  // Asks it to end (SIGTERM).
  void terminate() const;
  // Ends it as a crash would (SIGKILL).
  void kill() const;

  // Waits for its end, at most `patience`: what the shell would say of it (128 +
  // the signal, if one ended it), or nothing if it is still there.
  [[nodiscard]] std::optional<int> wait(Duration patience);
  // Waits as long as it takes.
  [[nodiscard]] int wait();

 private:
  Child(pid_t process, int descriptor) : process_{process}, descriptor_{descriptor} {}
  int reap();

  pid_t process_ = -1;   // -1: moved away
  int descriptor_ = -1;  // its pidfd
  std::optional<int> ended_;
};

}  // namespace larder::demo
