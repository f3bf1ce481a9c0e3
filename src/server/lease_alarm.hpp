// Has the ends of leases noticed in time, by a timer of the runtime.
//
// Threads: any. Held by shared_ptr, since its timer may be running while its owner ends.
#pragma once

#include <memory>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "server/server_state.hpp"

namespace larder {

class LeaseAlarm {
 public:
  // Sees to the leases of `state` from now on, as long as that lives.
  static void attach(const std::shared_ptr<ServerState>& state, std::shared_ptr<Timers> timers);

  LeaseAlarm(std::weak_ptr<ServerState> state, const Clock& clock, std::shared_ptr<Timers> timers);

 private:
  void set(TimePoint at) LARDER_EXCLUDES(mutex_);

  const std::weak_ptr<ServerState> state_;
  const Clock& clock_;
  const std::shared_ptr<Timers> timers_;
  Mutex mutex_;
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
