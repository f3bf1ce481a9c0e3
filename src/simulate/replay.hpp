// Replays a trace: what a policy's hit ratio is at a capacity, and which capacity
// a hit ratio needs.
//
// Threads: none.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "larder/clock.hpp"
#include "simulate/policy.hpp"
#include "simulate/trace.hpp"

namespace larder::simulate {

struct Ratios {
  double hits = 0;   // of the accesses, 0 to 1
  double bytes = 0;  // of the bytes asked for, 0 to 1
};

struct ReplayOptions {
  // Behaviour.
  Duration ttl{};  // of every entry, from its load; 0: none
  // (0, 1]: of the keys (SHARDS), at a capacity so much smaller. Ratios are within
  // 0.01 of the full ones as long as the sample's capacity is some hundred entries.
  double share = 1;
  // Called now and then with the accesses done; may be empty.
  std::function<void(std::uint64_t done)> progress{};
};

// One trace, and the part of it that is replayed.
class Replay {
 public:
  // REQUIRES: `trace` outlives it, 0 < options.share <= 1.
  Replay(const Trace& trace, ReplayOptions options);

  // `capacity` is of the whole trace, in entries or (where it has them) bytes.
  [[nodiscard]] Ratios run(const PolicyKind& kind, std::uint64_t capacity) const;

  // The smallest capacity, to within a hundredth, at which the hit ratio is at
  // least `target`; nullopt if not even all keys together reach it.
  [[nodiscard]] std::optional<std::uint64_t> capacity_for(const PolicyKind& policy,
                                                          double target) const;

  // Accesses that one run() replays.
  [[nodiscard]] std::uint64_t accesses() const { return used().accesses.size(); }

 private:
  [[nodiscard]] const Trace& used() const { return sampled_ ? *sampled_ : trace_; }

  const Trace& trace_;
  const ReplayOptions options_;
  std::optional<Trace> sampled_;
};

}  // namespace larder::simulate
