// Whether a process hears what others invalidate, from each server of its shared tier, and until
// when it may therefore believe its memory.
//
// Each server's backplane says when it asked for the last sign of which it has had the answer:
// what was invalidated before is dropped from memory already. The time of asking counts, not that
// of the answer, which may have lain in a socket while the process was stopped. Memory is
// believed for kBound longer. When that is over, it is dropped, once: by the reader who comes
// first, or by a timer, for who holds copies of what is in memory. From then on, until it
// hears again, what memory takes lives for kBound. So whatever happens, it serves nothing that was
// invalidated more than kBound ago.
//
// Threads: any. Lock order: lapsing_, then caches' or mutex_.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "larder/vouch.hpp"

namespace larder::shared {

class Hearing final : public Vouch, public std::enable_shared_from_this<Hearing> {
 public:
  static constexpr std::chrono::milliseconds kBound{1000};
  // How often a backplane asks for a sign: a few may come late.
  static constexpr std::chrono::milliseconds kSign{300};

  // `drop` has all caches drop what memory holds; called by any thread, one at a time.
  [[nodiscard]] static std::shared_ptr<Hearing> start(std::shared_ptr<Timers> timers,
                                                      std::function<void()> drop);

  // Who tells something: a backplane, by its address. Never dereferenced.
  using Ear = const void*;
  // It is one more to be heard from now on. Memory is believed no longer for it.
  void expect(Ear ear) LARDER_EXCLUDES(mutex_);
  // All that it was to be told before `asked` is dropped from memory.
  void heard(Ear ear, TimePoint asked) LARDER_EXCLUDES(mutex_);
  void forget(Ear ear) LARDER_EXCLUDES(mutex_);
  // Nothing is heard any more, and no timer set.
  void close() LARDER_EXCLUDES(mutex_);

  void lapse(TimePoint now) override LARDER_EXCLUDES(lapsing_, mutex_);

  // How often memory was dropped.
  [[nodiscard]] std::uint64_t lapses() const { return lapses_.load(std::memory_order_relaxed); }

 private:
  struct Heard {
    TimePoint until{};
    bool late = true;  // memory lives for kBound on its account …
    bool deaf = true;  // … and what it held before is dropped
  };

  Hearing(std::shared_ptr<Timers> timers, std::function<void()> drop)
      : timers_{std::move(timers)}, drop_{std::move(drop)} {}
  void look_later() LARDER_REQUIRES(mutex_);
  void look() LARDER_EXCLUDES(mutex_);
  // Says what ears_ means.
  void tell() LARDER_REQUIRES(mutex_);

  const std::shared_ptr<Timers> timers_;
  const std::function<void()> drop_;
  Mutex lapsing_;  // one at a time: who is late waits until memory is dropped
  Mutex mutex_;
  std::map<Ear, Heard> ears_ LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::atomic<std::uint64_t> lapses_{0};
};

}  // namespace larder::shared
