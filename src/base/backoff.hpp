// How long to wait before the next attempt: longer after each failure, up to a limit,
// and never the same for two, so that a fleet does not come back in one instant.
//
// Pure logic: the caller passes a random number. Threads: none of its own and no lock.
#pragma once

#include <algorithm>
#include <chrono>

#include "larder/clock.hpp"

namespace larder {

struct BackoffOptions {
  Duration least = std::chrono::milliseconds{50};  // > 0
  Duration most = std::chrono::seconds{2};         // >= least
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options) : options_{options}, next_{options.least} {}

  // The wait after a failure: between half and all of what has doubled each time.
  // `random` is uniform in [0, 1).
  [[nodiscard]] Duration failed(double random) {
    const Duration whole = next_;
    next_ = std::min(next_ * 2, options_.most);
    const std::chrono::duration<double, Duration::period> part = whole * (0.5 + random / 2);
    return std::chrono::duration_cast<Duration>(part);
  }
  void succeeded() { next_ = options_.least; }

 private:
  BackoffOptions options_;
  Duration next_;
};

}  // namespace larder
