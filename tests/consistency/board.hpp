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

inline constexpr std::size_t kKeys = 10;

// What promise 3 allows. A write is told once its process can tell it, which the process says
// itself: a moment after the write, unless the process was stopped, or the server was away or
// cut off. From then on a copy lives for the memory's ttl, or where that is long for as long as
// memory is believed though others are not heard, and a read that was on its way when
// it was told takes a command's timeout at most. An invalidation that the server has confirmed is
// told when it is acknowledged, whatever becomes of its process. Of another write a process that
// was killed may have told nothing: then the entry's ttl is the bound.
inline constexpr std::chrono::seconds kTtl{6};
inline constexpr std::chrono::milliseconds kMemoryTtl{300};
inline constexpr std::chrono::milliseconds kTimeout{250};
// For so long a busy machine may let a thread wait.
inline constexpr std::chrono::milliseconds kSlack{500};

// Where in a write-through a process is. Each of them can be made to hold there.
enum class Step : std::uint8_t {
  kNone,
  kBegun,      // nothing is done yet
  kMarked,     // the shared tier has the mark; nothing is committed
  kCommitted,  // the shared tier is not told yet
  kAnswered,   // the caller was answered
};

// What a process says of itself, over and over; the gaps between.
class Presence {
 public:
  void say(TimePoint now);
  // The first time that it said so at `from` or later; none: not yet.
  [[nodiscard]] std::optional<TimePoint> first(TimePoint from) const;
  // How much of the time since `from` it did not.
  [[nodiscard]] Duration absent(TimePoint from, TimePoint now) const;

 private:
  static constexpr std::size_t kRemembered = 64;
  static constexpr std::chrono::milliseconds kGap{50};

  struct Gap {
    std::atomic<std::int64_t> begin{0};
    std::atomic<std::int64_t> end{0};
  };
  std::atomic<std::int64_t> last_{0};
  std::atomic<std::size_t> count_{0};
  std::array<Gap, kRemembered> gaps_{};
};

class Board {
 public:
  // In memory that is shared with all processes forked later. Never unmapped.
  [[nodiscard]] static Board& create();

  [[nodiscard]] std::uint64_t truth(std::size_t key) const { return keys_[key].truth; }
  // Writes, which is to be acknowledged; the version written.
  std::uint64_t write(std::size_t key) { return ++keys_[key].truth; }
  // `told`: the shared tier has it already.
  void acknowledge(std::size_t key, std::uint64_t version, std::size_t process, bool told);

  struct Read {
    std::size_t key;
    std::uint64_t version;  // that it was answered with
    std::uint64_t own;      // that its process had acknowledged before
    TimePoint began;
    std::size_t process;
    std::optional<Duration> vouched{};  // so long its memory is believed, whatever its ttl
  };
  void judge(const Read& read);

  // REQUIRES of all: process < kMostProcesses.
  static constexpr std::size_t kMostProcesses = 16'384;  // in all of a run
  // The process runs; `told`: it has nothing to tell the shared tier, as far as it knows.
  void present(std::size_t process, bool told);
  // Before it is.
  void process_killed(std::size_t process) { killed_[process] = true; }

  // A write of a process comes to a step, and holds there if it is to.
  void come_to(Step step, std::size_t process);
  // The next write of the process that comes to the step holds, until another is named or none.
  void hold_at(Step step, std::size_t process);
  [[nodiscard]] bool holds(std::size_t process) const { return holding_[process] != 0; }

  void stop() { stopped_ = true; }
  [[nodiscard]] bool stopped() const { return stopped_; }

  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> errors{0};        // reads without an answer
  std::atomic<std::uint64_t> unanswered{0};    // writes whose outcome was not told
  std::atomic<std::uint64_t> not_own{0};       // anomaly: older than an own write
  std::atomic<std::uint64_t> too_late{0};      // anomaly: older than another's write for too long
  std::atomic<std::uint64_t> from_nowhere{0};  // anomaly: never written
  std::atomic<std::uint64_t> stay_stale{0};    // anomaly: old when all has come to rest

  // How long others' writes were not seen, of the reads that did not see them.
  [[nodiscard]] std::uint64_t stale_reads() const;
  [[nodiscard]] std::chrono::milliseconds staleness(double share) const;
  // The most of it that came after the write was told; in processes whose memory keeps long.
  [[nodiscard]] std::chrono::milliseconds after_told(bool long_memory) const;

 private:
  static constexpr std::size_t kRemembered = 1UL << 16U;  // writes of a key
  static constexpr std::size_t kMostMilliseconds = 60'000;

  struct Acknowledged {
    std::atomic<std::uint64_t> version{0};
    std::atomic<std::int64_t> at{0};
    std::atomic<std::size_t> process{0};
    std::atomic<bool> told{false};
  };
  struct Key {
    std::atomic<std::uint64_t> truth{1};
    std::array<Acknowledged, kRemembered> acknowledged{};
  };
  struct Overtaken {
    std::optional<TimePoint> acknowledged{};  // when the first write behind it was
    std::optional<TimePoint> told{};          // and was told; none: by none
  };
  [[nodiscard]] Overtaken overtaken(std::size_t key, std::uint64_t version) const;

  std::array<Key, kKeys> keys_{};
  std::array<std::atomic<std::uint64_t>, kMostMilliseconds + 1> stale_{};
  std::array<std::atomic<std::int64_t>, 2> after_told_{};  // by whether memory keeps long
  std::array<Presence, kMostProcesses> runs_{};
  std::array<Presence, kMostProcesses> has_told_{};
  std::array<std::atomic<bool>, kMostProcesses> killed_{};
  std::array<std::atomic<Step>, kMostProcesses> hold_at_{};
  std::array<std::atomic<unsigned>, kMostProcesses> holding_{};
  std::atomic<bool> stopped_{false};
};

}  // namespace larder::consistency
