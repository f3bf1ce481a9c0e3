// The answers that one call is owed: each index gets exactly one, from whoever brings it
// first (the source, a timer, the caller's cancellation).
//
// Threads: any. Held by shared_ptr by all who may answer it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"

namespace larder::detail {

// `Extra` stands beside each index, for the call's own use.
template <class A, class Extra = std::monostate>
class Owed {
 public:
  // Gets the answer for an index; once an index, on any thread, for different ones concurrently.
  using Each = std::move_only_function<void(std::size_t index, A answer) const>;

  Owed(std::size_t count, Each each) : each_{std::move(each)}, owed_{count}, indices_(count) {}

  // Passes the answer on, unless this index has had one.
  void answer(std::size_t index, A answer) {
    if (indices_[index].answered.exchange(true, std::memory_order_acq_rel)) return;
    each_(index, std::move(answer));
    if (owed_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      const MutexLock lock{timer_mutex_};
      timer_.reset();
    }
  }

  [[nodiscard]] bool answered(std::size_t index) const {
    return indices_[index].answered.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool complete() const { return owed_.load(std::memory_order_acquire) == 0; }
  [[nodiscard]] std::size_t size() const { return indices_.size(); }

  // Kept until all is answered.
  void set_timer(std::unique_ptr<Timer> timer) {
    const MutexLock lock{timer_mutex_};
    if (!complete()) timer_ = std::move(timer);
  }

 protected:
  Extra& extra(std::size_t index) { return indices_[index].extra; }

 private:
  struct Index {
    std::atomic<bool> answered{false};
    [[no_unique_address]] Extra extra;
  };

  const Each each_;
  std::atomic<std::size_t> owed_;
  std::vector<Index> indices_;
  Mutex timer_mutex_;
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(timer_mutex_);
};

}  // namespace larder::detail
