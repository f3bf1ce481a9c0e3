// What the processes of a consistency run have in common: the truth, when each write was
// acknowledged, and what was seen. In memory that they share.
//
// The truth of a key is its version, which each write raises by one: the source in person.
//
// Threads: any thread of any process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "larder/clock.hpp"

namespace larder::consistency {

inline constexpr std::size_t kKeys = 8;

// What promise 3 allows. A process that was killed may not have told what it had
// acknowledged: for its writes the entry's ttl is the bound; for others' the memory's, and a
// command's timeout. To both comes how long a busy machine may let a process wait.
inline constexpr std::chrono::seconds kTtl{6};
inline constexpr std::chrono::milliseconds kMemoryTtl{300};
inline constexpr std::chrono::milliseconds kTimeout{250};
inline constexpr std::chrono::seconds kSlack{2};

class Board {
 public:
  // In memory that is shared with all processes forked later. Never unmapped.
  [[nodiscard]] static Board& create();

  [[nodiscard]] std::uint64_t truth(std::size_t key) const { return keys_[key].truth; }
  // Writes, which is to be acknowledged; the version written.
  std::uint64_t write(std::size_t key) { return ++keys_[key].truth; }
  void acknowledge(std::size_t key, std::uint64_t version, std::size_t process);

  // A read that began at `began`, behind the acknowledgement of `own` in its own process,
  // was answered with `version`.
  void judge(std::size_t key, std::uint64_t version, std::uint64_t own, TimePoint began);

  void stop() { stopped_ = true; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  // Before it is. REQUIRES: process < kMostProcesses.
  void process_killed(std::size_t process) { killed_[process] = true; }
  static constexpr std::size_t kMostProcesses = 65'536;  // in all of a run

  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> errors{0};        // reads without an answer
  std::atomic<std::uint64_t> not_own{0};       // anomaly: older than an own write
  std::atomic<std::uint64_t> too_late{0};      // anomaly: older than another's write for too long
  std::atomic<std::uint64_t> from_nowhere{0};  // anomaly: never written
  std::atomic<std::uint64_t> stay_stale{0};    // anomaly: old when all has come to rest

  // How long others' writes were not seen, of the reads that did not see them.
  [[nodiscard]] std::uint64_t stale_reads() const;
  [[nodiscard]] std::chrono::milliseconds staleness(double share) const;

 private:
  static constexpr std::size_t kRemembered = 1UL << 16U;  // writes of a key
  static constexpr std::size_t kMostMilliseconds = 60'000;

  struct Acknowledged {
    std::atomic<std::uint64_t> version{0};
    std::atomic<std::int64_t> at{0};
    std::atomic<std::size_t> process{0};
  };
  struct Key {
    std::atomic<std::uint64_t> truth{1};
    std::array<Acknowledged, kRemembered> acknowledged{};
  };

  enum class By : std::uint8_t { kAny, kNotKilled };
  // When the first write behind that version was acknowledged, by such a process.
  [[nodiscard]] std::optional<TimePoint> overtaken(std::size_t key, std::uint64_t version,
                                                   By by) const;

  std::array<Key, kKeys> keys_{};
  std::array<std::atomic<std::uint64_t>, kMostMilliseconds + 1> stale_{};
  std::array<std::atomic<bool>, kMostProcesses> killed_{};
  std::atomic<bool> stopped_{false};
};

}  // namespace larder::consistency
