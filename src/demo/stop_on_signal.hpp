// Turns SIGINT, SIGTERM and SIGHUP into a request to stop.
//
// Threads: make it before any other thread is started: they inherit the blocked
// signals. Then any.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace larder::demo {

class StopOnSignal {
 public:
  StopOnSignal();
  // The signals are as they were before.
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  sigset_t before_{};
  std::jthread watcher_;
};

}  // namespace larder::demo
