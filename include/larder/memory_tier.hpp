// The memory tier: copies in this process, bounded in bytes.
//
// A concurrent hash table from Key to Value with expiry and eviction. It knows
// nothing of sources, flights or strategies, has no thread and no clock of its
// own (the caller passes `now`), and can be used alone.
//
// Threads: every member may be called by any thread at any time. A visitor runs
// under the tier's protection: it must be short, must not call the tier, and
// must not keep the view beyond its return.
//
// Values: a std::string is kept as bytes inside the entry and seen as a
// std::string_view; any other type is kept as a std::shared_ptr<const Value>
// (`Handle`), so that a reader may keep it. Keys likewise: a std::string is kept
// inline and looked up by string_view without an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "larder/clock.hpp"
#include "larder/entry.hpp"
#include "larder/units.hpp"

namespace larder {

struct MemoryOptions {
  // Behaviour.
  ByteCount capacity{64ULL << 20};  // keys, values and the tier's own overhead, together
};

// A counted reference to an immutable value; null where there is none.
template <class T>
using Handle = std::shared_ptr<const T>;

// How many bytes a value takes, for the capacity: specialise or overload via
// `larder::weigh` (weight.hpp) for types of your own.

struct MemoryStats {
  std::uint64_t entries = 0;      // now
  std::uint64_t bytes = 0;        // now; key, value and overhead
  std::uint64_t evictions = 0;    // removed to make room, since the start
  std::uint64_t expirations = 0;  // removed because their time had come
};

enum class PutOutcome : std::uint8_t { kStored, kTooLarge, kNoMemory };

#if 0  // The shape of the class; memory/ implements it.
template <class Key, class Value>
class MemoryTier {
 public:
  using KeyView = …;     // std::string_view for std::string, else const Key&
  using ValueView = …;   // std::string_view for std::string, else const Handle<Value>&

  explicit MemoryTier(MemoryOptions options);

  // Calls visitor(ValueView, const EntryInfo&) if `key` has a copy that is
  // usable at `now`; tells whether it did. Counts as an access for eviction.
  template <class Visitor> bool visit(KeyView key, TimePoint now, Visitor&& visitor);
  // The same without counting as an access (EXISTS, TTL, EXPLAIN, peek).
  template <class Visitor> bool inspect(KeyView key, TimePoint now, Visitor&& visitor) const;

  // Stores, replacing what was there. Evicts as needed. kTooLarge: larger than
  // the tier can hold; what was there under the key is gone all the same.
  PutOutcome put(KeyView key, ValueView value, const EntryInfo& info, TimePoint now);

  // Removes; whether there was a usable copy.
  bool erase(KeyView key, TimePoint now);

  // Atomically looks at what is there and decides: `decide` is called once with
  // the current usable copy, or none (for both, a pointer pair), and returns an
  // Update: keep, erase, set new EntryInfo (EXPIRE), or store a value.
  template <class Decide> UpdateOutcome update(KeyView key, TimePoint now, Decide&& decide);

  void clear();             // drops everything
  void clear(Space space);  // drops one cache's entries

  // Walks entries with Redis SCAN's guarantees: what is there from start to end is seen at
  // least once. Start with 0; 0 again means done. visitor(KeyView, ValueView, const EntryInfo&).
  template <class Visitor> std::uint64_t scan(std::uint64_t cursor, std::size_t count, TimePoint now, Visitor&&);

  // Gives back the memory of entries expired at `now`, at most `limit` of them;
  // how many it gave back. Work is proportional to that. The runtime calls it on a timer.
  std::size_t expire(TimePoint now, std::size_t limit);

  [[nodiscard]] MemoryStats stats() const;
  [[nodiscard]] MemoryStats stats(Space space) const;
  [[nodiscard]] ByteCount capacity() const;
};
#endif

}  // namespace larder
