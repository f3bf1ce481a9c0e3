#include "server/commands/writable.hpp"

#include <string>

#include "base/quantity.hpp"
#include "server/session.hpp"

namespace larder::commands {

BytesCache* writable_cache(Session& session, std::string_view key) {
  const Keyspace::Member* member = session.route(key);
  if (member == nullptr) return nullptr;
  BytesCache& cache = *member->cache;
  if (cache.strategy() == Strategy::kCacheAside) return &cache;
  session.error("REFUSED cache \"" + cache.name() + "\" is " +
                std::string{to_string(cache.strategy())} +
                " and takes no writes: write to its source and DEL the key, or set strategy = "
                "\"cache-aside\" in [caches." +
                cache.name() + "]");
  return nullptr;
}

bool stored(Session& session, const BytesCache& cache, PutOutcome outcome) {
  if (outcome == PutOutcome::kStored) return true;
  session.error(
      "BUSY cache \"" + cache.name() + "\": the value does not fit into the memory tier of " +
      format_bytes(session.keys().keyspace().tier().capacity()) + "; see memory.capacity");
  return false;
}

}  // namespace larder::commands
