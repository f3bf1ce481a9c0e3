#include "server/commands/lifetime.hpp"

#include <algorithm>
#include <limits>

#include "server/session.hpp"

namespace larder::commands {

std::optional<TimePoint> end_of_life(Session& session, std::int64_t amount, TimeUnit unit) {
  using Milliseconds = std::chrono::milliseconds;
  using Limits = std::numeric_limits<std::int64_t>;
  if (amount > Limits::max() / unit.milliseconds || amount < Limits::min() / unit.milliseconds) {
    return std::nullopt;
  }
  const Milliseconds time{amount * unit.milliseconds};
  WallClock& wall = session.context().server.wall_clock();
  const Milliseconds now = wall.now();
  constexpr Milliseconds kLongest{kLongestLife};
  if (unit.since_1970) return wall.at(std::clamp(time, now - kLongest, now + kLongest));
  if (time.count() > Limits::max() - now.count()) return std::nullopt;
  return session.now() + std::clamp(time, -kLongest, kLongest);
}

}  // namespace larder::commands
