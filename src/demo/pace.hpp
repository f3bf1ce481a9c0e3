// When viewers ask: each as soon as its last page has come, or at times that do
// not depend on the answers.
//
// The first finds out how many pages there can be; nothing can be said from it of
// how long a page takes, for who waits does not ask. The second shows that: a
// page's latency counts from when it was due, so that a stall is felt by all who
// came meanwhile (G. Tene calls forgetting them "coordinated omission").
//
// Threads: plain values; a Schedule belongs to one viewer.
#pragma once

#include <cstdint>

#include "demo/random.hpp"
#include "larder/clock.hpp"

namespace larder::demo {

struct Pace {
  Duration duration = std::chrono::seconds{3};
  double pages_per_second = 0;  // of all viewers together; 0: as fast as answers come
};

// One viewer's, of one run.
class Schedule {
 public:
  // REQUIRES: viewers > 0.
  Schedule(const Pace& pace, unsigned viewers, unsigned number, TimePoint start)
      : due_{start}, until_{start + pace.duration}, random_{number, kStream} {
    if (pace.pages_per_second > 0) mean_gap_ = viewers / pace.pages_per_second;
  }

  // When the next page is due, given that the last one came at `now`: then, or
  // after a random gap from when the last one was due, which may be in the past.
  // Call it before the first page, too.
  [[nodiscard]] TimePoint next(TimePoint now) {
    if (mean_gap_ <= 0) return due_ = now;
    // Uniform from nothing to twice the mean.
    const double gap = mean_gap_ * 2 * static_cast<double>(random_.next() >> 11) / (1ULL << 53);
    return due_ += std::chrono::duration_cast<Duration>(std::chrono::duration<double>{gap});
  }

  // Whether the run is over for a viewer whose next page is due at `due`.
  [[nodiscard]] bool over(TimePoint due, TimePoint now) const {
    return due >= until_ || now >= until_;
  }

 private:
  static constexpr std::uint64_t kStream = 0x70616365;

  TimePoint due_;
  TimePoint until_;
  double mean_gap_ = 0;  // seconds; 0: none
  Random random_;
};

}  // namespace larder::demo
