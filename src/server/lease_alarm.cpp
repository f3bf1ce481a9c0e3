#include "server/lease_alarm.hpp"

#include <algorithm>
#include <utility>

namespace larder {

LeaseAlarm::LeaseAlarm(std::weak_ptr<ServerState> state, const Clock& clock,
                       std::shared_ptr<Timers> timers)
    : state_{std::move(state)}, clock_{clock}, timers_{std::move(timers)} {}

void LeaseAlarm::attach(const std::shared_ptr<ServerState>& state, std::shared_ptr<Timers> timers) {
  const auto alarm =
      std::make_shared<LeaseAlarm>(state, state->keyspace().clock(), std::move(timers));
  state->leases().set_alarm([alarm](TimePoint at) { alarm->set(at); });
}

void LeaseAlarm::set(TimePoint at) {
  const MutexLock lock{mutex_};
  const Duration delay = std::max(at - clock_.now(), Duration{});
  timer_ = timers_->after(delay, [weak = state_, &clock = clock_] {
    if (const auto state = weak.lock()) state->leases().end_due(clock.now());
  });
}

}  // namespace larder
