#include "larder/freshness.hpp"

#include <algorithm>
#include <stdexcept>

namespace larder {

namespace {

// A century: longer than any process, and far from overflowing a time point.
constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

}  // namespace

Freshness::Freshness(FreshnessOptions options) : options_{options} {
  if (options.ttl <= Duration::zero()) {
    throw std::invalid_argument{"ttl must be longer than 0: every entry lives, and none for ever"};
  }
  if (!(options.jitter >= 0 && options.jitter < 1)) {
    throw std::invalid_argument{"jitter must be in [0, 1): it is a fraction of ttl"};
  }
  if (options.negative_ttl < Duration::zero()) {
    throw std::invalid_argument{"negative_ttl must not be negative; 0 keeps no absences"};
  }
}

EntryInfo Freshness::value(TimePoint filled_at, std::optional<Duration> ttl, double random) const {
  return live(filled_at, ttl.value_or(options_.ttl), random);
}

std::optional<EntryInfo> Freshness::absence(TimePoint filled_at, double random) const {
  if (options_.negative_ttl == Duration::zero()) return std::nullopt;
  EntryInfo info = live(filled_at, options_.negative_ttl, random);
  info.absent = true;
  return info;
}

EntryInfo Freshness::live(TimePoint filled_at, Duration ttl, double random) const {
  const double spread = 1 + options_.jitter * (2 * random - 1);
  const Duration bounded = std::clamp(ttl, Duration{1}, kLongest);
  const auto life = std::chrono::duration<double, Duration::period>{bounded} * spread;
  const TimePoint until =
      filled_at + std::max(std::chrono::duration_cast<Duration>(life), Duration{1});
  return {.filled_at = filled_at, .fresh_until = until, .usable_until = until};
}

}  // namespace larder
