// Calls a function on a poller's thread, some time from now.
//
// For what may come a little late and seldom comes at all: while it is not set,
// it costs nothing.
//
// Threads: confined to the poller's.
#pragma once

#include <chrono>
#include <functional>

#include "server/descriptor.hpp"
#include "server/poller.hpp"

namespace larder {

class Alarm final : public Poller::Watcher {
 public:
  // Throws std::system_error when the system has no more descriptors. The alarm
  // outlives the poller's last wait().
  Alarm(Poller& poller, std::function<void()> due);

  // Goes off once, `delay` from now, instead of when it was set to before.
  // REQUIRES: delay > 0.
  void set(std::chrono::nanoseconds delay);

  void ready(Poller::Readiness readiness) override;

 private:
  const std::function<void()> due_;
  const Descriptor timer_;
};

}  // namespace larder
