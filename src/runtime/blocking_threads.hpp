// Threads that may wait, started as work comes while all are busy.
//
// Threads: any, but for stop(): not one of its own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "larder/thread_annotations.hpp"

namespace larder {

class BlockingThreads {
 public:
  explicit BlockingThreads(unsigned most);
  ~BlockingThreads() { stop(); }
  BlockingThreads(const BlockingThreads&) = delete;
  BlockingThreads& operator=(const BlockingThreads&) = delete;

  using Work = std::move_only_function<void()>;

  // Runs `work` in its turn; after stop(), destroys it.
  void run(Work work) LARDER_EXCLUDES(mutex_);

  // Destroys the work that has not begun, and waits for what has. What work owns
  // may call run() as it is destroyed.
  void stop() LARDER_EXCLUDES(mutex_);

  // Whether the calling thread is one of these.
  [[nodiscard]] bool own_this_thread() const;

 private:
  void loop() LARDER_EXCLUDES(mutex_);

  const unsigned most_;
  Mutex mutex_;
  Condition woken_;
  std::deque<Work> queue_ LARDER_GUARDED_BY(mutex_);
  std::size_t idle_ LARDER_GUARDED_BY(mutex_) = 0;
  bool stopping_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
