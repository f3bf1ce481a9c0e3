// How many loads of one source a whole fleet has under way at a time.
//
// Threads: any. Held by shared_ptr.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "larder/clock.hpp"

namespace larder {

// How many loads of one source all processes may have under way.
struct FleetLimit {
  std::string source{};     // its name
  unsigned loads = 1;       // at a time
  Duration longest_load{};  // then a process that has not given its permit back is taken for dead
};

class FleetGate {
 public:
  virtual ~FleetGate() = default;

  // The right to load, given back with its last reference. Null: the fleet cannot be asked, and
  // the load goes on with this process's own limit alone.
  using Permit = std::shared_ptr<void>;

  // Has `go` called once, now or when a place is free, on any thread; it must not block.
  // Dropped uncalled at the end of the runtime.
  virtual void enter(std::move_only_function<void(Permit)> go) = 0;
};

}  // namespace larder
