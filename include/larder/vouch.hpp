// Until when a process may believe its memory, as far as it hears what others invalidate.
//
// A shared tier over which processes tell each other of invalidations (a backplane) has one for
// its caches, and moves it on whenever it has heard everything up to some time. Who serves from
// memory asks it first:
//
//   if (!vouch.holds(now)) vouch.lapse(now);
//
// So a process that was stopped, or is cut off, does not go on with what may be invalid since.
//
// Threads: any.
#pragma once

#include <atomic>

#include "larder/clock.hpp"

namespace larder {

class Vouch {
 public:
  Vouch() = default;
  virtual ~Vouch() = default;
  Vouch(const Vouch&) = delete;
  Vouch& operator=(const Vouch&) = delete;

  // Whether what memory holds may be served at `now`. Hot: one read of a line that is written
  // a few times a second; guarded by bench/server and bench/cache.
  [[nodiscard]] bool holds(TimePoint now) const {
    return now.time_since_epoch().count() <= until_.load(std::memory_order_acquire);
  }

  // It may not: the caches have dropped what memory holds when this returns, and what is on
  // its way for it is kept nowhere. It holds again then, since what memory takes from now on lives
  // for longest() at most. REQUIRES: no lock of a cache's or a tier's.
  virtual void lapse(TimePoint now) = 0;

  // For so long memory may keep what it takes now. Longer than anything lives, while others
  // are heard.
  [[nodiscard]] Duration longest() const {
    return Duration{longest_.load(std::memory_order_acquire)};
  }

 protected:
  static constexpr Duration::rep kForEver = Duration::max().count();

  std::atomic<Duration::rep> until_{kForEver};    // as holds() compares it
  std::atomic<Duration::rep> longest_{kForEver};  // as longest() says
};

}  // namespace larder
