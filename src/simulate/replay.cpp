#include "simulate/replay.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace larder::simulate {

namespace {

// Counts as a miss what a policy without a clock still has after its time.
class Freshness {
 public:
  Freshness(std::uint64_t keys, Duration ttl) : ttl_{ttl}, until_(ttl > Duration{} ? keys : 0) {}

  bool usable(const Access& access, bool hit) {
    if (ttl_ == Duration{}) return hit;
    const bool fresh = hit && access.at < until_[access.key];
    if (!fresh) until_[access.key] = access.at + ttl_;
    return fresh;
  }

 private:
  const Duration ttl_;
  std::vector<Duration> until_;  // by key
};

}  // namespace

Replay::Replay(const Trace& trace, ReplayOptions options)
    : trace_{trace}, options_{std::move(options)} {
  if (options_.share < 1) sampled_ = sample(trace, options_.share);
}

Ratios Replay::run(const PolicyKind& kind, std::uint64_t capacity) const {
  constexpr std::uint64_t kProgressEvery = 1 << 16;
  const Trace& trace = used();
  const auto scaled =
      static_cast<std::uint64_t>(std::llround(static_cast<double>(capacity) * options_.share));
  const auto policy = kind.make(
      {.capacity = std::max<std::uint64_t>(scaled, 1), .trace = &trace, .ttl = options_.ttl});
  Freshness freshness{trace.keys, options_.ttl};
  std::uint64_t hits = 0;
  double hit_bytes = 0;
  double bytes = 0;
  std::uint64_t done = 0;
  for (const Access& access : trace.accesses) {
    const bool hit = freshness.usable(access, policy->access(access));
    bytes += static_cast<double>(access.bytes);
    if (hit) {
      ++hits;
      hit_bytes += static_cast<double>(access.bytes);
    }
    if (++done % kProgressEvery == 0 && options_.progress) options_.progress(done);
  }
  if (!sampled_) {
    return {static_cast<double>(hits) / static_cast<double>(trace.accesses.size()),
            hit_bytes / bytes};
  }
  // A sample has a few very popular keys too many or too few. What it has more or
  // less than its share of accesses counts as hits of theirs (SHARDS-adj).
  double all_bytes = 0;
  for (const Access& access : trace_.accesses) all_bytes += static_cast<double>(access.bytes);
  const double wanted = static_cast<double>(trace_.accesses.size()) * options_.share;
  const double missing = wanted - static_cast<double>(trace.accesses.size());
  const double wanted_bytes = all_bytes * options_.share;
  return {std::clamp((static_cast<double>(hits) + missing) / wanted, 0.0, 1.0),
          std::clamp((hit_bytes + wanted_bytes - bytes) / wanted_bytes, 0.0, 1.0)};
}

std::optional<std::uint64_t> Replay::capacity_for(const PolicyKind& policy, double target) const {
  std::uint64_t enough = trace_.has_bytes ? trace_.total_bytes : trace_.keys;
  // Objects may grow; then twice their first sizes hold all of them.
  if (trace_.has_bytes) enough *= 2;
  if (run(policy, enough).hits < target) return std::nullopt;
  std::uint64_t little = 0;
  while (enough - little > std::max<std::uint64_t>(enough / 100, 1)) {
    const std::uint64_t middle = little + (enough - little) / 2;
    (run(policy, middle).hits >= target ? enough : little) = middle;
  }
  return enough;
}

}  // namespace larder::simulate
