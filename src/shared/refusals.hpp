// Whether a server refuses commands while it is there, as one that is full or lacks a right does:
// told once, and once more when it has refused nothing for a while.
//
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder::shared {

class Refusals {
 public:
  static constexpr std::chrono::seconds kQuiet{10};

  // Who has refused nothing for `quiet` refuses nothing any more.
  explicit Refusals(Duration quiet = kQuiet) : quiet_{quiet} {}

  // It refused; whether that is to be told.
  [[nodiscard]] bool refused(TimePoint now) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    last_ = now;
    return !refuses_.exchange(true);
  }
  // It took a command; whether that it refuses nothing any more is to be told.
  [[nodiscard]] bool taken(TimePoint now) LARDER_EXCLUDES(mutex_) {
    if (!refuses_.load(std::memory_order_relaxed)) return false;
    const MutexLock lock{mutex_};
    return now - last_ >= quiet_ && refuses_.exchange(false);
  }

 private:
  const Duration quiet_;
  Mutex mutex_;
  std::atomic<bool> refuses_{false};
  TimePoint last_ LARDER_GUARDED_BY(mutex_){};
};

}  // namespace larder::shared
