// The timers of one I/O thread, in the order in which they are due, over a single timer of
// Asio's.
//
// Most timers are limits that nothing reaches: made for each request, and destroyed when it is
// answered. So one costs a place in a map, and the I/O thread hears of it only if it is due before
// all others. One that is called off leaves the thread to wake once in vain.
//
// Threads: any. A Timer may outlive the I/O thread: it is not called then.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "runtime/io_thread.hpp"

namespace larder {

class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
 public:
  explicit TimerQueue(std::shared_ptr<IoThread> io) : io_{std::move(io)}, timer_{io_->context()} {}

  // As of Timers.
  [[nodiscard]] std::unique_ptr<Timer> after(Duration delay, std::move_only_function<void()> due)
      LARDER_EXCLUDES(mutex_);

 private:
  class Place;
  // When it is due, and its number among all.
  using Key = std::pair<TimePoint, std::uint64_t>;
  using Waiting = std::map<Key, std::move_only_function<void()>>;

  void call_off(const Key& key) LARDER_EXCLUDES(mutex_);
  // Has the I/O thread wake for the first; on that thread.
  void arm() LARDER_EXCLUDES(mutex_);
  void run_due() LARDER_EXCLUDES(mutex_);
  // The first, if it is due by then; out of the queue.
  [[nodiscard]] Waiting::node_type take(TimePoint now) LARDER_EXCLUDES(mutex_);

  const std::shared_ptr<IoThread> io_;
  boost::asio::steady_timer timer_;  // touched on its I/O thread only
  Mutex mutex_;
  Waiting waiting_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t next_ LARDER_GUARDED_BY(mutex_) = 0;
  std::optional<TimePoint> wakes_ LARDER_GUARDED_BY(mutex_);  // the thread does, or is told to
};

}  // namespace larder
