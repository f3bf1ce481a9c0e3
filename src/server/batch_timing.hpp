// What the commands of a batch cost, with few looks at the clock: quick ones that
// follow each other share what they took together, in equal parts.
//
// Threads: confined to its session's; see Counters.
#pragma once

#include <array>
#include <cstddef>

#include "larder/clock.hpp"
#include "server/counters.hpp"

namespace larder {

class BatchTiming {
 public:
  static constexpr std::size_t kMost = 16;  // commands that share

  BatchTiming(const Clock& clock, Counters& counters, TimePoint start)
      : clock_{clock}, counters_{counters}, since_{start} {}

  // One more command was carried out, named by its counted_as(). REQUIRES: fewer than
  // kMost were since the last settle().
  void add(std::size_t command) { commands_[count_++] = command; }
  [[nodiscard]] std::size_t unsettled() const { return count_; }

  // Counts what was added since the last settle(), and what each took, which it gives back.
  Duration settle() {
    if (count_ == 0) return {};
    const TimePoint now = clock_.now();
    const Duration each = (now - since_) / static_cast<Duration::rep>(count_);
    const auto nanoseconds = static_cast<std::uint64_t>(each.count());
    const std::size_t step = latency_step(nanoseconds);
    since_ = now;
    for (std::size_t i = 0; i < count_; ++i) {
      counters_.time_by_command[commands_[i]].add(nanoseconds);
      counters_.steps_by_command[commands_[i]][step].add();
    }
    count_ = 0;
    return each;
  }

  // The same where all but the last are known to be quick: what they took is the last's.
  Duration settle_last() {
    const auto count = static_cast<Duration::rep>(count_);
    return settle() * count;
  }

 private:
  const Clock& clock_;
  Counters& counters_;
  TimePoint since_;
  std::size_t count_ = 0;
  std::array<std::size_t, kMost> commands_;
};

}  // namespace larder
