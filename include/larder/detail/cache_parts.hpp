// What a cache's heart works with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "larder/cache_options.hpp"
#include "larder/clock.hpp"
#include "larder/entry.hpp"
#include "larder/freshness.hpp"
#include "larder/load_gate.hpp"
#include "larder/memory_tier.hpp"
#include "larder/shared_copies.hpp"
#include "larder/source.hpp"
#include "larder/timers.hpp"
#include "larder/writer.hpp"

namespace larder::detail {

// Put together by Cache or by a test.
template <class Key, class Value>
struct CacheParts {
  std::string name;
  Strategy strategy;
  std::shared_ptr<MemoryTier<Key, Value>> tier;  // never null
  Space space = 0;
  std::shared_ptr<Source<Key, Value>> source;    // null: none
  std::shared_ptr<Writer<Key, Value>> writer{};  // null: none
  std::shared_ptr<LoadGate> gate;                // never null
  std::shared_ptr<LoadGate> write_gate{};        // of the writer; never null with one
  Duration unknown_write{};  // after which a write of unknown outcome cannot land any more
  FreshnessOptions freshness;
  SharedWith<Key, Value> shared{};  // without copies: none
  OnSharedDown on_shared_down = OnSharedDown::kWrite;
  std::optional<Duration> memory_ttl{};  // the longest that memory keeps; none: as freshness has it
  const Clock* clock;
  std::shared_ptr<Timers> timers;  // never null
  std::uint64_t seed;              // of the jitter
};

}  // namespace larder::detail
