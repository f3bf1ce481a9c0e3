// Threads that may wait, started as work comes while all are busy.
//
// So many work at a time. One that waits for another's work says so, and does not
// count meanwhile; when its wait ends it goes on at once, so that for a while one
// more than so many may work. Otherwise threads that all wait for loads which need
// a thread would never come free.
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
  // `most` work at a time; `most_waiting` more may wait.
  BlockingThreads(unsigned most, unsigned most_waiting);
  ~BlockingThreads() { stop(); }
  BlockingThreads(const BlockingThreads&) = delete;
  BlockingThreads& operator=(const BlockingThreads&) = delete;

  using Work = std::move_only_function<void()>;

  // Runs `work` in its turn; after stop(), destroys it.
  void run(Work work) LARDER_EXCLUDES(mutex_);

  // Destroys the work that has not begun, and waits for what has. What work owns
  // may call run() as it is destroyed.
  void stop() LARDER_EXCLUDES(mutex_);

  // The ones that the calling thread is of; null: of none.
  [[nodiscard]] static BlockingThreads* of_this_thread();

  // The calling thread, one of these, waits until end_wait(). False: too many do.
  [[nodiscard]] bool begin_wait() LARDER_EXCLUDES(mutex_);
  void end_wait() LARDER_EXCLUDES(mutex_);

 private:
  void loop() LARDER_EXCLUDES(mutex_);
  void start_if_needed() LARDER_REQUIRES(mutex_);

  const unsigned most_;
  const unsigned most_waiting_;
  Mutex mutex_;
  Condition woken_;
  std::deque<Work> queue_ LARDER_GUARDED_BY(mutex_);
  std::size_t idle_ LARDER_GUARDED_BY(mutex_) = 0;     // threads without work
  std::size_t working_ LARDER_GUARDED_BY(mutex_) = 0;  // threads with work that do not wait
  std::size_t waiting_ LARDER_GUARDED_BY(mutex_) = 0;  // threads with work that wait
  bool stopping_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
