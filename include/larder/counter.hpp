// A counter that many threads bump and few read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace larder {

// Spread over cache lines, so that threads that count at the same time do not
// write the same line. add() is one uncontended atomic add; value() sums and
// may miss adds that are under way.
//
// Threads: any.
class StripedCounter {
 public:
  void add(std::uint64_t n = 1) {
    stripes_[stripe()].count.fetch_add(n, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t value() const {
    std::uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += stripe.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> count{0};
  };

  // Threads take stripes in turn as they first count.
  static std::size_t stripe() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
    return mine;
  }

  std::array<Stripe, kStripes> stripes_{};
};

}  // namespace larder
