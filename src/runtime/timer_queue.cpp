#include "runtime/timer_queue.hpp"

#include <algorithm>
#include <chrono>

namespace larder {

namespace {

// Longer than any process runs, and far from where a time point overflows.
constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

}  // namespace

class TimerQueue::Place final : public Timer {
 public:
  Place(std::shared_ptr<TimerQueue> queue, Key key) : queue_{std::move(queue)}, key_{key} {}
  ~Place() override { queue_->call_off(key_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  const std::shared_ptr<TimerQueue> queue_;
  const Key key_;
};

std::unique_ptr<Timer> TimerQueue::after(Duration delay, std::move_only_function<void()> due) {
  const TimePoint until = std::chrono::steady_clock::now() + std::min(delay, kLongest);
  Key key{until, 0};
  bool first = false;
  {
    const MutexLock lock{mutex_};
    key.second = next_++;
    waiting_.emplace_hint(waiting_.end(), key, std::move(due));  // most are due last
    first = !wakes_ || until < *wakes_;
    if (first) wakes_ = until;
  }
  auto place = std::make_unique<Place>(shared_from_this(), key);
  if (first) io_->post([self = shared_from_this()] { self->arm(); });
  return place;
}

// What the function held is let go of without the lock.
void TimerQueue::call_off(const Key& key) {
  Waiting::node_type node;
  const MutexLock lock{mutex_};
  node = waiting_.extract(key);
}

void TimerQueue::arm() {
  TimePoint until;
  {
    const MutexLock lock{mutex_};
    wakes_.reset();
    if (waiting_.empty()) return;
    until = waiting_.begin()->first.first;
    wakes_ = until;
  }
  timer_.expires_at(until);  // the wait that there was ends with an error
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->run_due();
  });
}

// One at a time, since each may call off the next.
void TimerQueue::run_due() {
  const TimePoint now = std::chrono::steady_clock::now();
  for (auto node = take(now); node; node = take(now)) node.mapped()();
  arm();
}

TimerQueue::Waiting::node_type TimerQueue::take(TimePoint now) {
  const MutexLock lock{mutex_};
  if (waiting_.empty() || waiting_.begin()->first.first > now) return {};
  return waiting_.extract(waiting_.begin());
}

}  // namespace larder
