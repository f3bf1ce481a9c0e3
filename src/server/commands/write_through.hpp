// Writes that go to the source of a cache. Everything behind them in the connection waits.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cache/keyspace.hpp"
#include "larder/clock.hpp"
#include "server/command.hpp"

namespace larder {
class Session;
}

namespace larder::commands {

// Writes `value` to the source of the cache, which is write-through. The copy of what that
// then holds lives until `end`, or as long as the cache says. The reply is OK, or why not.
void put_through(Session& session, BytesCache& cache, std::string_view key, std::string_view value,
                 std::optional<TimePoint> end);

// Removes keys[i] from the source of caches[i], where that takes removals, else drops its
// copy. The reply is how many there were, or the first error.
void remove_through(Session& session, Arguments keys, const std::vector<BytesCache*>& caches);

}  // namespace larder::commands
