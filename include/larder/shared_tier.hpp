// A shared tier: Redis, Valkey, their clusters, Memcached, as programs and servers hold it.
//
// shared.hpp opens one; CacheOptions::shared takes it.
//
// Threads: any. Held by shared_ptr; the runtime may end before it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "larder/closable.hpp"
#include "larder/fleet_gate.hpp"
#include "larder/shared_copies.hpp"
#include "larder/shared_stats.hpp"

namespace larder {

class SharedTier : public Closable {
 public:
  // The part of the cache of that name. `fingerprint` tells apart what its values are
  // made of: values of another are misses.
  [[nodiscard]] virtual std::shared_ptr<SharedCopies> copies(std::string cache,
                                                             std::uint64_t fingerprint) = 0;

  // Lets in as many loads of a source as the limit says, of all processes together. Over
  // Memcached everybody.
  [[nodiscard]] virtual std::shared_ptr<FleetGate> fleet_gate(FleetLimit limit) = 0;

  // Whether all of it may be asked now; what is the matter with it.
  [[nodiscard]] virtual bool trusted() const = 0;
  [[nodiscard]] virtual std::string trouble() const = 0;
  [[nodiscard]] virtual SharedStats stats() const = 0;
};

}  // namespace larder
