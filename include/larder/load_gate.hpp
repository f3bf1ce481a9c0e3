// Bounded concurrency of loads: a slow source gets a limited number at a time,
// a limited number waits in order, and what comes on top fails at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "larder/clock.hpp"
#include "larder/fleet_gate.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

struct LoadLimits {
  // Behaviour.
  unsigned concurrent = 16;  // loads under way at a time; at least 1
  unsigned waiting = 1024;   // loads that wait for their turn
  // Of one load, from when its source begins to run it. Its place stays taken until it ends.
  Duration timeout = std::chrono::seconds{10};
  // Of what it waits before that: for its turn here, for a thread, for a connection.
  Duration wait_timeout = std::chrono::seconds{10};
};

// Who may load now: the decision alone, without thread, clock or queue of work.
//
// Threads: none; the owner guards it.
class LoadTurns {
 public:
  enum class Verdict : std::uint8_t { kGo, kWait, kRefuse };

  // REQUIRES: concurrent > 0.
  LoadTurns(unsigned concurrent, unsigned waiting) : concurrent_{concurrent}, waiting_{waiting} {}

  // A load wants to begin. Every kGo is followed by exactly one leave(); a kWait
  // by a next() that grants its turn, in order.
  [[nodiscard]] Verdict enter();
  // A load has ended.
  void leave();
  // One that waits does so no longer. REQUIRES: queued() > 0.
  void withdraw();
  // Whether the one who has waited longest may go now; it then counts as going.
  [[nodiscard]] bool next();

  [[nodiscard]] unsigned going() const { return going_; }
  [[nodiscard]] unsigned queued() const { return queued_; }

 private:
  unsigned concurrent_;
  unsigned waiting_;
  unsigned going_ = 0;
  unsigned queued_ = 0;
};

// The gate before one source. Caches that read from the same source share it.
//
// Threads: any. Held by shared_ptr: each Permit keeps its gate alive.
class LoadGate : public std::enable_shared_from_this<LoadGate> {
 public:
  // The right to load, given back when it is destroyed. May then run, on that
  // thread, the work that waited next.
  class Permit {
   public:
    explicit Permit(std::shared_ptr<LoadGate> gate) : gate_{std::move(gate)} {}
    Permit(Permit&&) = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

   private:
    friend class LoadGate;

    std::shared_ptr<LoadGate> gate_;  // null: moved from
    FleetGate::Permit fleet_{};       // null: none is needed
  };

  // With `fleet`, who has a turn here waits for one of that as well. REQUIRES:
  // limits.concurrent > 0 (else std::invalid_argument).
  explicit LoadGate(LoadLimits limits, std::shared_ptr<FleetGate> fleet = nullptr);

  using Work = std::move_only_function<void(Permit)>;

  // Names work that waits.
  using Ticket = std::uint64_t;

  // Runs `work` now, on this thread, or later when its turn comes, on the
  // thread that gives its permit back (or on any, with a fleet). None: the limit is reached, and
  // `work` is dropped. `work` must not block.
  [[nodiscard]] std::optional<Ticket> enter(Work work) LARDER_EXCLUDES(mutex_);
  // Drops work that still waits.
  void withdraw(Ticket ticket) LARDER_EXCLUDES(mutex_);

  [[nodiscard]] const LoadLimits& limits() const { return limits_; }
  [[nodiscard]] unsigned going() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] unsigned queued() const LARDER_EXCLUDES(mutex_);

 private:
  void begin(Work work);
  void leave() LARDER_EXCLUDES(mutex_);

  const LoadLimits limits_;
  const std::shared_ptr<FleetGate> fleet_;  // null: none
  mutable Mutex mutex_;
  LoadTurns turns_ LARDER_GUARDED_BY(mutex_);
  std::map<Ticket, Work> queue_ LARDER_GUARDED_BY(mutex_);  // turns_.queued() of them, in order
  Ticket next_ LARDER_GUARDED_BY(mutex_) = 0;
  // One thread at a time hands out turns, in a loop, so that loads that end at
  // once do not nest a stack frame each.
  bool handing_out_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace larder
