// A vouch that a test moves, and that counts its lapses.
#pragma once

#include <functional>
#include <utility>

#include "larder/vouch.hpp"

namespace larder::testing {

class HandVouch final : public Vouch {
 public:
  void until(TimePoint time) { until_ = time.time_since_epoch().count(); }
  void longest(Duration duration) { longest_ = duration.count(); }

  void lapse(TimePoint) override {
    ++lapses;
    if (drop) drop();
    until_ = kForEver;
  }

  int lapses = 0;
  std::function<void()> drop{};
};

}  // namespace larder::testing
