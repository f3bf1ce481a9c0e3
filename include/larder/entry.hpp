// What the cache knows of an entry besides key and value.
#pragma once

#include <cstdint>

#include "larder/clock.hpp"

namespace larder {

// Names the cache that an entry belongs to, where several caches share one
// memory tier. Dense, from 0.
using Space = std::uint16_t;

struct EntryInfo {
  TimePoint filled_at{};     // when the value was stored (a load: when it began)
  TimePoint fresh_until{};   // age below ttl until here
  TimePoint usable_until{};  // stale but usable until here; never served after it
  Duration load_cost{};      // what loading it took; 0 when it was put
  bool absent = false;       // the source said: no such row. There is no value
  Space space = 0;
};

}  // namespace larder
