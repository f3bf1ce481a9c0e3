// How long a copy lives: ttl with jitter, always finite.
//
// Pure logic: the caller passes `now` and a random number.
#pragma once

#include <optional>

#include "larder/clock.hpp"
#include "larder/entry.hpp"

namespace larder {

struct FreshnessOptions {
  // Behaviour.
  Duration ttl = std::chrono::minutes{5};  // > 0; no entry lives for ever
  // Each copy lives ttl · (1 ± jitter), uniformly, so that what was filled together does not
  // expire together. [0, 1).
  double jitter = 0.1;
  Duration negative_ttl = std::chrono::seconds{5};  // of "no such row", with jitter; 0: not kept
};

class Freshness {
 public:
  // Throws std::invalid_argument for options outside their ranges.
  explicit Freshness(FreshnessOptions options);

  // The life of a value that was true at `filled_at`. `random` is uniform in
  // [0, 1); `ttl` is a caller's own and takes the same jitter.
  [[nodiscard]] EntryInfo value(TimePoint filled_at, std::optional<Duration> ttl,
                                double random) const;
  // The life of the knowledge that there is no such row; none: it is not kept.
  [[nodiscard]] std::optional<EntryInfo> absence(TimePoint filled_at, double random) const;

  [[nodiscard]] const FreshnessOptions& options() const { return options_; }

 private:
  [[nodiscard]] EntryInfo live(TimePoint filled_at, Duration ttl, double random) const;

  FreshnessOptions options_;
};

}  // namespace larder
