#include "runtime/blocking_threads.hpp"

#include <algorithm>
#include <utility>

namespace larder {

namespace {

// The pool that the calling thread works for.
thread_local BlockingThreads* blocking_pool = nullptr;

}  // namespace

BlockingThreads::BlockingThreads(unsigned most, unsigned most_waiting)
    : most_{std::max(most, 1U)}, most_waiting_{most_waiting} {}

void BlockingThreads::run(Work work) {
  {
    const MutexLock lock{mutex_};
    if (stopping_) return;
    queue_.push_back(std::move(work));
    start_if_needed();
  }
  woken_.notify_one();
}

void BlockingThreads::start_if_needed() {
  if (queue_.size() > idle_ && threads_.size() < most_ + waiting_) {
    threads_.emplace_back([this] { loop(); });
  }
}

bool BlockingThreads::begin_wait() {
  {
    const MutexLock lock{mutex_};
    if (waiting_ >= most_waiting_) return false;
    ++waiting_;
    --working_;
    if (!stopping_) start_if_needed();
  }
  woken_.notify_one();
  return true;
}

void BlockingThreads::end_wait() {
  const MutexLock lock{mutex_};
  --waiting_;
  ++working_;
}

void BlockingThreads::stop() {
  std::deque<Work> dropped;
  std::vector<std::jthread> threads;
  {
    const MutexLock lock{mutex_};
    stopping_ = true;
    dropped.swap(queue_);
    threads.swap(threads_);
  }
  woken_.notify_all();
  dropped.clear();
  for (std::jthread& thread : threads) thread.join();
}

BlockingThreads* BlockingThreads::of_this_thread() { return blocking_pool; }

void BlockingThreads::loop() {
  blocking_pool = this;
  for (;;) {
    Work work;
    {
      const MutexLock lock{mutex_};
      ++idle_;
      while (!stopping_ && (queue_.empty() || working_ >= most_)) woken_.wait(mutex_);
      --idle_;
      if (stopping_) return;
      ++working_;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
    work = nullptr;
    const MutexLock lock{mutex_};
    --working_;
  }
}

}  // namespace larder
