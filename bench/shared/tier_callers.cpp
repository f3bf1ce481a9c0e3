#include <time.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "callers.hpp"

namespace larder::bench {

namespace {

std::chrono::nanoseconds processor_time() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
}

// All callers, who live on the tier's I/O thread once they have begun.
class TierCallers {
 public:
  TierCallers(SharedCopies& copies, const std::vector<std::string>& keys, std::size_t callers)
      : copies_{copies}, keys_{keys}, left_{static_cast<std::ptrdiff_t>(callers)} {}

  void read(std::size_t caller) {
    if (stop_.load(std::memory_order_relaxed)) return left_.count_down();
    std::vector<SharedCopies::Key> wanted(1);
    wanted.front().key = keys_[next_++ % keys_.size()];
    copies_.read(std::move(wanted), [this, caller](SharedCopies::Answers answers) {
      const SharedAnswer& answer = answers.front().second;
      const bool right = answer.kind == SharedAnswer::Kind::kCopy && answer.copy.bytes &&
                         answer.copy.bytes->size() == kValueSize;
      if (!right) {
        misses_.fetch_add(1, std::memory_order_relaxed);
        return left_.count_down();
      }
      hits_.fetch_add(1, std::memory_order_relaxed);
      read(caller);
    });
  }
  void stop() {
    stop_ = true;
    left_.wait();
  }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }
  // Callers who found no copy, and went home.
  [[nodiscard]] std::uint64_t misses() const { return misses_; }

 private:
  SharedCopies& copies_;
  const std::vector<std::string>& keys_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<bool> stop_{false};
  std::latch left_;
};

}  // namespace

Cost read_through_tier(Sight& sight, const std::vector<std::string>& keys, std::size_t callers,
                       std::chrono::milliseconds slice) {
  TierCallers all{*sight.copies(), keys, callers};
  const auto begin = std::chrono::steady_clock::now();
  const auto processor = processor_time();
  for (std::size_t i = 0; i < callers; ++i) all.read(i);
  std::this_thread::sleep_for(slice);
  all.stop();
  const std::chrono::duration<double, std::nano> wall = std::chrono::steady_clock::now() - begin;
  const auto spent = processor_time() - processor;
  if (all.misses() > 0) {
    throw std::runtime_error{"a hit was none; the tier says: " + sight.tier().trouble()};
  }
  const auto hits = static_cast<double>(all.hits());
  return {.wall_ns = wall.count() / hits, .cpu_ns = static_cast<double>(spent.count()) / hits};
}

}  // namespace larder::bench
