// A shared tier as the server holds it, whatever it is made of: one Redis, a cluster, the
// master that sentinels know.
//
// Threads: any. Held by shared_ptr.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "larder/clock.hpp"
#include "larder/closable.hpp"
#include "larder/fleet_gate.hpp"
#include "larder/shared_tier.hpp"
#include "shared/hearing.hpp"
#include "shared/shared_stats.hpp"

namespace larder::shared {

// How many loads of one source all processes may have under way.
struct FleetLimit {
  std::string source{};     // its name
  unsigned loads = 1;       // at a time
  Duration longest_load{};  // then a process that has not given its permit back is taken for dead
};

class Tier : public Closable {
 public:
  // The part of the cache of that name. `fingerprint` tells apart what its values are
  // made of: values of another are misses.
  [[nodiscard]] virtual std::shared_ptr<SharedCopies> copies(std::string cache,
                                                             std::uint64_t fingerprint) = 0;

  [[nodiscard]] virtual std::shared_ptr<FleetGate> fleet_gate(FleetLimit limit) = 0;

  // What its caches' memory is believed by; null: nobody tells processes what others invalidate.
  [[nodiscard]] virtual std::shared_ptr<Hearing> hearing() const = 0;

  // Whether all of it may be asked now; what is the matter with it.
  [[nodiscard]] virtual bool trusted() const = 0;
  [[nodiscard]] virtual std::string trouble() const = 0;
  [[nodiscard]] virtual SharedStats stats() const = 0;
};

}  // namespace larder::shared
