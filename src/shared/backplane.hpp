// Hears what other processes invalidate, from one server.
//
// What it cannot vouch for any more it says (`missed`): when it begins to hear, and
// whenever something may have been lost since.
//
// Threads: any. Lifetime: close() or the destructor end it; the runtime may end before it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "redis/client.hpp"
#include "resp/reply_decoder.hpp"
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
  // The server refuses, with this error, to be followed; said each time that it is asked.
  virtual void not_followed(const resp::Reply& why) = 0;
  // For a while there has been no connection to follow it by; said of each attempt.
  virtual void not_connected(const Error& why) = 0;
  // It refuses nothing of what following takes; said with each sign.
  virtual void followed() = 0;
};

// Tells of the first error among replies, if there is one.
inline void tell_refusal(const redis::Replies& replies, BackplaneEvents& events) {
  const auto found = std::ranges::find_if(replies, &resp::Reply::is_error);
  if (found != replies.end()) events.not_followed(*found);
}

// Whether connections fail for so long that it is not the end of the server, which is told where
// commands are sent. Threads: none of its own and no lock.
class Attempts {
 public:
  void connected() {
    connected_ = true;
    failing_since_.reset();
  }
  // A connection, or an attempt to make one, has ended; whether that is to be told.
  [[nodiscard]] bool ended(TimePoint now) {
    constexpr std::chrono::seconds kWhile{1};
    if (std::exchange(connected_, false)) return false;
    if (!failing_since_) failing_since_ = now;
    return now - *failing_since_ >= kWhile;
  }

 private:
  bool connected_ = false;
  std::optional<TimePoint> failing_since_;
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
