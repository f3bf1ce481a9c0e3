// Who is told which copies of a memory tier are no longer what they were: a door whose
// clients keep copies of their own.
//
// Threads: called by any, under a lock of the tier: it must be short, must not call the
// tier, and must not throw.
#pragma once

#include <optional>

#include "larder/entry.hpp"

namespace larder {

template <class KeyView>
class MemoryListener {
 public:
  virtual ~MemoryListener() = default;

  // The copy of `key` was replaced, given other times, dropped, evicted, or has expired. Or
  // there was none and somebody stored one or dropped it all the same; but not when what was
  // read from elsewhere is kept for the first time.
  virtual void changed(KeyView key) = 0;
  // All copies are gone, or all of one space's.
  virtual void cleared(std::optional<Space> space) = 0;
};

}  // namespace larder
