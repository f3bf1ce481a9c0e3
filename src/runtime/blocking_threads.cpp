#include "runtime/blocking_threads.hpp"

#include <algorithm>
#include <utility>

namespace larder {

namespace {

// The pool that the calling thread works for.
thread_local const BlockingThreads* blocking_pool = nullptr;

}  // namespace

BlockingThreads::BlockingThreads(unsigned most) : most_{std::max(most, 1U)} {}

void BlockingThreads::run(Work work) {
  {
    const MutexLock lock{mutex_};
    if (stopping_) return;
    queue_.push_back(std::move(work));
    if (queue_.size() > idle_ && threads_.size() < most_) {
      threads_.emplace_back([this] { loop(); });
    }
  }
  woken_.notify_one();
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

bool BlockingThreads::own_this_thread() const { return blocking_pool == this; }

void BlockingThreads::loop() {
  blocking_pool = this;
  for (;;) {
    Work work;
    {
      const MutexLock lock{mutex_};
      ++idle_;
      while (queue_.empty() && !stopping_) woken_.wait(mutex_);
      --idle_;
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace larder
