// Who takes care of what is not, or no longer, one server's of a cluster.
//
// Threads: any; called under no lock of the caller's.
#pragma once

#include <optional>
#include <string>

namespace larder::shared {

class Elsewhere {
 public:
  virtual ~Elsewhere() = default;
  // An invalidation that the server could not be told, since the key's slot is another's
  // now, or since the server is no part of the cluster any more. `name` is the key's in the
  // tier; none: of the whole cache.
  virtual void moved(const std::string& cache, std::optional<std::string> name) = 0;
  // The masters, or their slots, may be others than was thought.
  virtual void suspect() = 0;
};

}  // namespace larder::shared
