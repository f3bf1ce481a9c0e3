// Who takes care of what is not, or no longer, one server's of a cluster.
//
// Threads: any; called under no lock of the caller's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "redis/topology.hpp"

namespace larder::shared {

class RedisTier;

class Elsewhere {
 public:
  virtual ~Elsewhere() = default;
  // An invalidation that the server could not be told, since the key's slot is another's
  // now, or since the server is no part of the cluster any more. `name` is the key's in the
  // tier; none: of the whole cache.
  virtual void moved(const std::string& cache, std::optional<std::string> name) = 0;
  // The masters, or their slots, may be others than was thought.
  virtual void suspect() = 0;
  // The master at a place, to be told what of a slot on its way is there already; null: none that
  // is known.
  [[nodiscard]] virtual std::shared_ptr<RedisTier> at(const redis::Place& place) = 0;
};

}  // namespace larder::shared
