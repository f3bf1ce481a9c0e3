// How fast counts grow, for who looks at them now and then: the rate since the last
// look that is at least a second back. Nothing runs in between.
//
// Threads: any.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

template <std::size_t Count>
class RateMeter {
 public:
  using Totals = std::array<std::uint64_t, Count>;

  explicit RateMeter(TimePoint start) : at_{start} {}

  // A second's growth of each total.
  [[nodiscard]] Totals look(const Totals& totals, TimePoint now) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    const double seconds = std::chrono::duration<double>(now - at_).count();
    if (seconds < 1) return rates_;
    for (std::size_t i = 0; i < Count; ++i) {
      rates_[i] = static_cast<std::uint64_t>(static_cast<double>(totals[i] - totals_[i]) / seconds);
    }
    totals_ = totals;
    at_ = now;
    return rates_;
  }

 private:
  Mutex mutex_;
  TimePoint at_ LARDER_GUARDED_BY(mutex_);
  Totals totals_ LARDER_GUARDED_BY(mutex_){};
  Totals rates_ LARDER_GUARDED_BY(mutex_){};
};

}  // namespace larder
