// Which keys a client may write, and what to say where it may not.
#pragma once

#include <string_view>

#include "cache/keyspace.hpp"

namespace larder {
class Session;
}

namespace larder::commands {

// The cache that takes a write of `key`; null after an error reply, which names
// the setting that stands against it.
[[nodiscard]] BytesCache* writable_cache(Session& session, std::string_view key);

// Whether a write came to pass; false after an error reply.
bool stored(Session& session, const BytesCache& cache, PutOutcome outcome);

}  // namespace larder::commands
