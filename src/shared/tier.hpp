// A shared tier as the server holds it, whatever it is made of: one Redis, a cluster, the
// master that sentinels know, Memcached servers.
//
// Threads: any. Held by shared_ptr.
#pragma once

#include <memory>

#include "larder/shared_tier.hpp"
#include "shared/hearing.hpp"

namespace larder::shared {

class Tier : public SharedTier {
 public:
  // What its caches' memory is believed by; null: nobody tells processes what others invalidate.
  [[nodiscard]] virtual std::shared_ptr<Hearing> hearing() const = 0;
};

}  // namespace larder::shared
