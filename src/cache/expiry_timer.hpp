// Gives back the memory of expired entries, now and then: a little work every
// time, in proportion to what has expired. What a slice leaves undone is taken up
// after a pause in which the thread serves others, so that a million entries which
// expire together are gone within a second and hold nobody up for long.
//
// Threads: any. Held by shared_ptr, since its timer may be running while its
// owner ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"

namespace larder {

template <class Tier>
class ExpiryTimer : public std::enable_shared_from_this<ExpiryTimer<Tier>> {
 public:
  static constexpr std::chrono::milliseconds kPeriod{100};
  static constexpr std::chrono::milliseconds kPause{1};
  static constexpr std::size_t kSlice = 5000;  // entries; about a millisecond

  // `timers` and `clock` outlive the tier's owner, who calls stop().
  ExpiryTimer(std::shared_ptr<Tier> tier, Timers& timers, const Clock& clock)
      : tier_{std::move(tier)}, timers_{timers}, clock_{clock} {}

  // Expires, and again after a while, until stop(). Called once by the owner.
  void run() LARDER_EXCLUDES(mutex_) {
    const bool more = tier_->expire(clock_.now(), kSlice) >= kSlice;
    const MutexLock lock{mutex_};
    if (stopped_) return;
    timer_ = timers_.after(more ? kPause : kPeriod, [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->run();
    });
  }

  void stop() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    stopped_ = true;
    timer_.reset();
  }

 private:
  const std::shared_ptr<Tier> tier_;
  Timers& timers_;
  const Clock& clock_;
  Mutex mutex_;
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
  bool stopped_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace larder
