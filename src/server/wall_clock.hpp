// Points of time since 1970 for points of the steady clock, and back: for
// commands that name the one, over entries that live by the other.
//
// The distance between the two clocks is kept as long as measuring it again gives
// nearly the same, so that the time a client sets is the one it reads, to the
// millisecond; a step of the wall clock is noticed when it is next asked.
//
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>

#include "larder/clock.hpp"

namespace larder {

class WallClock {
 public:
  explicit WallClock(const Clock& clock) : clock_{clock}, distance_{measure()} {}

  // Milliseconds since 1970, to the nearest.
  [[nodiscard]] std::chrono::milliseconds since_1970(TimePoint time) {
    return std::chrono::round<std::chrono::milliseconds>(time.time_since_epoch() + distance());
  }
  [[nodiscard]] std::chrono::milliseconds now() { return since_1970(clock_.now()); }
  // REQUIRES: within 200 years of now.
  [[nodiscard]] TimePoint at(std::chrono::milliseconds since_1970) {
    return TimePoint{since_1970 - distance()};
  }

 private:
  static constexpr Duration kNearly = std::chrono::milliseconds{20};

  // Whole milliseconds, so that both ways round alike.
  [[nodiscard]] Duration measure() const {
    const Duration wall = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::round<std::chrono::milliseconds>(wall - clock_.now().time_since_epoch());
  }
  [[nodiscard]] Duration distance() {
    const Duration kept = distance_.load(std::memory_order_relaxed);
    const Duration measured = measure();
    if (std::chrono::abs(measured - kept) < kNearly) return kept;
    distance_.store(measured, std::memory_order_relaxed);
    return measured;
  }

  const Clock& clock_;
  std::atomic<Duration> distance_;
};

}  // namespace larder
