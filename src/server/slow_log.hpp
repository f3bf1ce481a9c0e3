// The commands that took long, the newest ones: what SLOWLOG and LATENCY tell.
//
// Bounded: so many entries as the settings say, each with the first words of its
// command and the first bytes of each, as in Redis; and a history of the worst second
// by second, of 160 seconds in which there was one.
//
// Time is that of carrying a command out on its thread, not of waiting for a source.
//
// Threads: any. The lock is taken for slow commands alone, and by who looks.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

class SlowLog {
 public:
  static constexpr std::size_t kMostWords = 32;
  static constexpr std::size_t kMostBytes = 128;  // of a word

  struct Entry {
    std::uint64_t id = 0;       // counts up from 0; given by add()
    std::chrono::seconds at{};  // since 1970
    Duration took{};
    std::vector<std::string> words{};  // cut
    std::string address{};
    std::string client{};  // its name
  };
  // Of one second, the slowest.
  struct Spike {
    std::chrono::seconds at;  // since 1970
    std::chrono::milliseconds took;
  };

  // Cuts words as an entry keeps them; what is left out is counted.
  [[nodiscard]] static std::vector<std::string> cut(std::span<const std::string_view> words);

  // Keeps `entry`, and of all the `most` newest.
  void add(Entry entry, std::size_t most) LARDER_EXCLUDES(mutex_);
  // At most `count`, the newest first.
  [[nodiscard]] std::vector<Entry> latest(std::size_t count) const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::size_t size() const LARDER_EXCLUDES(mutex_);
  void clear() LARDER_EXCLUDES(mutex_);

  // The oldest first.
  [[nodiscard]] std::vector<Spike> spikes() const LARDER_EXCLUDES(mutex_);
  // The worst since the start or the last clear_spikes().
  [[nodiscard]] std::chrono::milliseconds worst() const LARDER_EXCLUDES(mutex_);
  // Whether there were any.
  bool clear_spikes() LARDER_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kMostSpikes = 160;

  void note_spike(std::chrono::seconds at, std::chrono::milliseconds took) LARDER_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::uint64_t next_id_ LARDER_GUARDED_BY(mutex_) = 0;
  std::deque<Entry> entries_ LARDER_GUARDED_BY(mutex_);  // the newest in front
  std::deque<Spike> spikes_ LARDER_GUARDED_BY(mutex_);   // the oldest in front
  std::chrono::milliseconds worst_ LARDER_GUARDED_BY(mutex_){};
};

}  // namespace larder
