// Hears what other processes invalidate, from one server.
//
// What it cannot vouch for any more it says (`missed`): when it begins to hear, and
// whenever something may have been lost since.
//
// Threads: any. Lifetime: close() or the destructor end it; the runtime may end before it.
#pragma once

#include <atomic>
#include <cstdint>

#include "larder/clock.hpp"
#include "shared/announcements.hpp"

namespace larder::shared {

// What a backplane tells. Called one at a time, on its I/O thread.
class BackplaneEvents {
 public:
  virtual ~BackplaneEvents() = default;
  virtual void announced(const Announcement& announcement) = 0;
  // Anything may have been invalidated since what was announced last.
  virtual void missed() = 0;
  // All that was invalidated before `asked`, by the caller's clock, has been announced.
  virtual void heard_until(TimePoint asked) = 0;
};

class Backplane {
 public:
  virtual ~Backplane() = default;
  virtual void close() = 0;

  [[nodiscard]] std::uint64_t heard() const { return heard_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t gaps() const { return gaps_.load(std::memory_order_relaxed); }

 protected:
  void count_heard(std::size_t more) { heard_.fetch_add(more, std::memory_order_relaxed); }
  void count_gap() { gaps_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> heard_{0};
  std::atomic<std::uint64_t> gaps_{0};
};

}  // namespace larder::shared
