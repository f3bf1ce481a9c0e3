// A count with one writer and any readers: what an I/O thread counts of its own
// work, without a shared write.
//
// Threads: add() and subtract() by one thread; value() by any, which may miss
// what is being counted right now.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder {

class Tally {
 public:
  void add(std::uint64_t n = 1) { set(value() + n); }
  void subtract(std::uint64_t n = 1) { set(value() - n); }

  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }

  std::atomic<std::uint64_t> value_{0};
};

}  // namespace larder
