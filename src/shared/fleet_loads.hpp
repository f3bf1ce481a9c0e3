// Bounds the loads of one source that all processes over a shared tier have under way.
//
// The tier holds a set of permits, each with a time at which it is nobody's any more, so that
// those of a process that died come back. Who finds none free waits in this process's order, and
// one of them asks again, now and then, and when a place of this process's own is given back.
// Among processes there is no order.
//
// While the tier is not trusted everybody goes at once: the limit of each process holds alone.
//
// Threads: any. Lifetime: held by shared_ptr; the runtime may end before it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "larder/clock.hpp"
#include "larder/fleet_gate.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "shared/tier.hpp"

namespace larder::shared {

class RedisTier;

class FleetLoads final : public FleetGate, public std::enable_shared_from_this<FleetLoads> {
 public:
  // `tier`: the part of the tier that has the permits now; null: none has.
  FleetLoads(std::function<std::shared_ptr<RedisTier>()> tier, std::shared_ptr<Timers> timers,
             std::string key, FleetLimit limit)
      : tier_{std::move(tier)},
        timers_{std::move(timers)},
        key_{std::move(key)},
        limit_{std::move(limit)} {}

  void enter(std::move_only_function<void(Permit)> go) override LARDER_EXCLUDES(mutex_);

  // Who waits does so no longer: the tier has ended, or cannot be asked.
  void let_all_go() LARDER_EXCLUDES(mutex_);

 private:
  using Go = std::move_only_function<void(Permit)>;
  class Held;

  void ask() LARDER_EXCLUDES(mutex_);
  void answered(const std::vector<std::string>& tokens, std::int64_t granted)
      LARDER_EXCLUDES(mutex_);
  void ask_later() LARDER_REQUIRES(mutex_);
  void ask_again() LARDER_EXCLUDES(mutex_);
  void give_back(const std::string& token);

  const std::function<std::shared_ptr<RedisTier>()> tier_;
  const std::shared_ptr<Timers> timers_;
  const std::string key_;
  const FleetLimit limit_;

  Mutex mutex_;  // then the tier's
  std::deque<Go> waiting_ LARDER_GUARDED_BY(mutex_);
  bool asking_ LARDER_GUARDED_BY(mutex_) = false;    // or a timer that will
  unsigned refusals_ LARDER_GUARDED_BY(mutex_) = 0;  // in a row
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::shared
