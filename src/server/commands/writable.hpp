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

// The same for what changes or makes a value by what is in memory, which only a
// cache without a source can do: elsewhere the copy is not the truth. `command`
// stands in the error.
[[nodiscard]] BytesCache* plain_cache(Session& session, std::string_view key,
                                      std::string_view command);

// Whether a write came to pass; false after an error reply.
bool stored(Session& session, const BytesCache& cache, PutOutcome outcome);

// What to store with a value that takes the place of another and keeps its life.
[[nodiscard]] EntryInfo with_life_of(const EntryInfo& was, EntryInfo info);

}  // namespace larder::commands
