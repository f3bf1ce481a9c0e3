// What a shared tier counts.
//
// Threads: may be bumped and read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "larder/shared_stats.hpp"

namespace larder::shared {

struct SharedCounts {
  std::atomic<std::uint64_t> hits{0};
  std::atomic<std::uint64_t> leases{0};
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> passed{0};
  std::atomic<std::uint64_t> foreign{0};
  std::atomic<std::uint64_t> stale{0};
  std::atomic<std::uint64_t> corrupt{0};
  std::atomic<std::uint64_t> fills{0};
  std::atomic<std::uint64_t> refused_fills{0};
  std::atomic<std::uint64_t> marks{0};
  std::atomic<std::uint64_t> untaken_marks{0};
  std::atomic<std::uint64_t> errors{0};

  static void add(std::atomic<std::uint64_t>& count) {
    count.fetch_add(1, std::memory_order_relaxed);
  }
  // What is counted here; the rest is zero.
  [[nodiscard]] SharedStats now() const;
};

inline SharedStats SharedCounts::now() const {
  const auto value = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {.hits = value(hits),
          .leases = value(leases),
          .waits = value(waits),
          .failures = value(failures),
          .passed = value(passed),
          .foreign = value(foreign),
          .stale = value(stale),
          .corrupt = value(corrupt),
          .fills = value(fills),
          .refused_fills = value(refused_fills),
          .marks = value(marks),
          .untaken_marks = value(untaken_marks),
          .errors = value(errors)};
}

}  // namespace larder::shared
