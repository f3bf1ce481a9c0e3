// Time as larder sees it: monotonic, and injected, so that a test moves it.
//
// Ages and expiries are differences on one host's steady clock; a jump of the
// wall clock changes nothing.
//
// Threads: any thread may call now(); ManualClock may be moved by any thread.
#pragma once

#include <atomic>
#include <chrono>

namespace larder {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
};

// The host's steady clock. Lives as long as the program.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

// A clock that stands still until told to move. For tests, larder's and yours.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return TimePoint{Duration{nanoseconds_.load(std::memory_order_acquire)}};
  }
  void advance(Duration by) { nanoseconds_.fetch_add(by.count(), std::memory_order_acq_rel); }

 private:
  // Not zero: a time point before the start is then still representable.
  std::atomic<Duration::rep> nanoseconds_{std::chrono::hours{1000} / Duration{1}};
};

// What a default-constructed option means: the real clock.
[[nodiscard]] inline const Clock& steady_clock() {
  static const SteadyClock clock;  // immutable
  return clock;
}

}  // namespace larder
