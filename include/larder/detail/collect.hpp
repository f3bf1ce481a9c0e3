// The answers of one call brought together, for who wants them all at once.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "larder/thread_annotations.hpp"

namespace larder::detail {

template <class A, class Done>
class Collector {
 public:
  Collector(std::size_t count, Done done) : answers_(count), owed_{count}, done_{std::move(done)} {}

  void take(std::size_t index, A answer) {
    answers_[index] = std::move(answer);
    if (owed_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_(std::move(answers_));
  }

 private:
  std::vector<A> answers_;  // each written by one thread; read after the last
  std::atomic<std::size_t> owed_;
  Done done_;
};

// What a call of `count` > 0 answers tells each of; `done` gets them together.
template <class A, class Done>
[[nodiscard]] auto collect(std::size_t count, Done done) {
  auto collector = std::make_shared<Collector<A, Done>>(count, std::move(done));
  return [collector](std::size_t index, A answer) { collector->take(index, std::move(answer)); };
}

// Where a blocking call waits for all its answers.
template <class A>
class Rendezvous {
 public:
  void arrive(std::vector<A> answers) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    answers_ = std::move(answers);
    arrived_.notify_one();
  }
  std::vector<A> wait() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    while (!answers_) arrived_.wait(mutex_);
    return std::move(*answers_);
  }

 private:
  Mutex mutex_;
  Condition arrived_;
  std::optional<std::vector<A>> answers_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::detail
