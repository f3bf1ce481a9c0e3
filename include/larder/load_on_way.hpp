// A load that has not ended yet, as one may ask a cache about it.
//
// Threads: a plain value.
#pragma once

#include <optional>

#include "larder/clock.hpp"

namespace larder {

struct LoadOnWay {
  std::optional<TimePoint> began{};  // the source was asked then; none: it waits for its turn
};

}  // namespace larder
