// Work that other threads leave for the thread of a poller.
//
// Threads: post() by any; the rest by the poller's own. Held by shared_ptr where
// somebody may post who outlives that thread: what comes then is never run, and
// destroyed with the queue.
#pragma once

#include <functional>
#include <vector>

#include "larder/thread_annotations.hpp"
#include "server/descriptor.hpp"
#include "server/poller.hpp"

namespace larder {

class WorkQueue final : public Poller::Watcher {
 public:
  using Work = std::move_only_function<void()>;

  // Throws std::system_error when the system has no more descriptors.
  WorkQueue();
  // From now on the poller's thread runs what is posted. Once; the queue outlives
  // the poller's last wait().
  void start(Poller& poller);

  // Runs `work` on the poller's thread, in order, soon.
  void post(Work work) LARDER_EXCLUDES(mutex_);

  void ready(Poller::Readiness readiness) override LARDER_EXCLUDES(mutex_);

 private:
  const Descriptor event_;  // wakes the poller
  Mutex mutex_;
  std::vector<Work> posted_ LARDER_GUARDED_BY(mutex_);
  std::vector<Work> running_;  // empty but during ready(); keeps its memory
};

}  // namespace larder
