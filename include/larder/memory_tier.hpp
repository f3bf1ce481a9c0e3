// The memory tier: copies in this process, bounded in bytes.
//
// A concurrent hash table from Key to Value with expiry and eviction. It knows
// nothing of sources, flights or strategies, has no thread and no clock of its
// own (the caller passes `now`), and can be used alone.
//
// Threads: every member may be called by any thread at any time. visit() and
// inspect() take no lock and never wait; the others lock a shard for a short
// time. A visitor or decision runs under the tier's protection: it must be short,
// must not call the tier, and must not keep the view beyond its return. Nor may
// the destructor of a key or value call the tier.
//
// Values: a std::string is kept as bytes inside the entry and seen as a
// std::string_view; any other type is kept as a std::shared_ptr<const Value>
// (`Handle`), so that a reader may keep it. Keys likewise: a std::string is kept
// inline and looked up by string_view without an allocation.
//
// Times are kept in whole milliseconds, rounded down, and load costs in whole
// microseconds. docs/decisions/ tells how it works and what it costs.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/detail/memory/entry_block.hpp"
#include "larder/detail/memory/key_hash.hpp"
#include "larder/detail/memory/shard.hpp"
#include "larder/entry.hpp"
#include "larder/memory_listener.hpp"
#include "larder/put_outcome.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"

namespace larder {

// What the capacity bounds.
enum class Charge : std::uint8_t {
  kMemory,  // what entries take: key, value and the tier's own overhead
  kValue,   // what values weigh (weight.hpp), at least 1 each, and nothing else
};

struct MemoryOptions {
  // Behaviour.
  ByteCount capacity{64ULL << 20};
  Charge charge = Charge::kMemory;
  // Speed. A shard has a lock for its writers, and no value is larger than a
  // shard, or than an eighth of the capacity where there are several.
  // At most 256, rounded down to a power of two; 0: one for each MiB from 4 MiB on, at most 8.
  unsigned shards = 0;
  // Proof against hash flooding: a test may fix it.
  std::optional<std::uint64_t> hash_seed{};  // none: random
};

struct MemoryStats {
  std::uint64_t entries = 0;      // now
  std::uint64_t bytes = 0;        // now; key, value and overhead
  std::uint64_t absences = 0;     // of the entries: knowledge that there is nothing
  std::uint64_t evictions = 0;    // removed to make room, since the start
  std::uint64_t expirations = 0;  // removed because their time had come
  std::uint64_t too_large = 0;    // not stored: larger than the tier takes
  std::uint64_t no_memory = 0;    // not stored: there was no room
  // Barriers that writers had the process's running threads pass, to reuse memory; of the whole
  // tier alone, since the start.
  std::uint64_t barriers = 0;
};

template <class Key, class Value>
class MemoryTier {
  static_assert(std::equality_comparable<Key>, "a key needs ==: bool operator==(const Key&) const");

  using Shard = detail::Shard<Key, Value>;
  using Layout = detail::EntryLayout<Key, Value>;

 public:
  using KeyView = typename Layout::KeyView;  // std::string_view for std::string, else const Key&
  using ValueView = typename Layout::ValueView;  // likewise, else const Handle<Value>&
  using Update = detail::Update<Key, Value>;     // keep(), erase(), set_info(), store(), …
  using Listener = MemoryListener<KeyView>;

  // Hash and equality that take a KeyView for a Key, for tables of the tier's users.
  struct Hash {
    using is_transparent = void;
    template <class K>
    std::size_t operator()(const K& key) const {
      if constexpr (Layout::kByteKey) {
        return std::hash<std::string_view>{}(key);
      } else {
        return detail::hash_by_type<Key>(key);
      }
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a == b;
    }
  };

  struct UpdateOutcome {
    bool existed = false;                  // there was a usable copy when it was decided
    PutOutcome put = PutOutcome::kStored;  // of a store() or set_info()
  };

  // Throws std::bad_alloc if the system does not give as many addresses.
  explicit MemoryTier(MemoryOptions options)
      : options_{options},
        hash_{options.hash_seed ? *options.hash_seed : detail::KeyHash::random_seed()},
        shard_count_{shards_for(options)},
        buckets_{shard_count_, Shard::most_entries(room_for(options, shard_count_))} {
    for (unsigned i = 0; i < shard_count_; ++i) {
      shards_.push_back(
          std::make_unique<Shard>(room_for(options, shard_count_), hash_, buckets_, i));
    }
  }

  // Calls visitor(ValueView, const EntryInfo&) if `key` has a copy that is
  // usable at `now`; tells whether it did. Counts as an access for eviction.
  template <class Visitor>
  [[gnu::always_inline]] inline bool visit(KeyView key, TimePoint now, Visitor&& visitor) {
    return look(key, now, true, visitor);
  }
  // The same without counting as an access (EXISTS, TTL, EXPLAIN, peek).
  template <class Visitor>
  bool inspect(KeyView key, TimePoint now, Visitor&& visitor) const {
    return look(key, now, false, visitor);
  }

  // Has the processor fetch what is kept of `key`, without waiting for it: for who
  // knows several keys ahead and has something to do in between. A hint; costs
  // about 10 ns, and saves the misses of the visit() that follows.
  void prefetch(KeyView key) const {
    const std::uint64_t hash = hash_(key);
    shard_of(hash).prefetch(hash);
  }

  // How often the usable copy was visited of late, as eviction sees it: 0 to 3;
  // none without a copy.
  [[nodiscard]] std::optional<unsigned> uses(KeyView key, TimePoint now) const {
    const std::uint64_t hash = hash_(key);
    return shard_of(hash).uses(key, hash, now);
  }

  // Stores, replacing what was there; what is expired already is not kept. Evicts
  // as needed: a newcomer that is much larger than the others, in a full tier, itself, until it
  // comes again. kTooLarge: larger than the tier ever takes; kNoMemory: the system, or
  // readers that never leave, leave no room now. What was there under the key is
  // gone all the same, since it is no longer true; update() can keep it.
  PutOutcome put(KeyView key, ValueView value, const EntryInfo& info, TimePoint now) {
    return update(
               key, now,
               [&](const auto*, const EntryInfo*) { return Update::store_or_erase(value, info); })
        .put;
  }

  // The same for what was read from where the truth is; see Update::fill().
  PutOutcome fill(KeyView key, ValueView value, const EntryInfo& info, TimePoint now) {
    return update(key, now,
                  [&](const auto*, const EntryInfo*) { return Update::fill(value, info); })
        .put;
  }

  // Tells `listener` of changes from now on; null: nobody. Returns when whoever was told
  // before is told nothing any more. One at a time; it costs writes a call each, hits nothing.
  void listen(Listener* listener) LARDER_EXCLUDES(listener_mutex_) {
    const MutexLock lock{listener_mutex_};
    for (auto& shard : shards_) shard->listen(listener);
    listener_ = listener;
  }

  // Whether a value is one that the tier can keep; if not, storing it is kTooLarge.
  [[nodiscard]] bool takes(KeyView key, ValueView value, const EntryInfo& info) const {
    return shards_.front()->takes(key, value, info);  // they are all alike
  }

  // Removes; whether there was a usable copy.
  bool erase(KeyView key, TimePoint now) {
    return update(key, now, [](const auto*, const EntryInfo*) { return Update::erase(); }).existed;
  }

  // Atomically looks at what is there and changes it: decide(value, info) gets
  // pointers to the usable copy's value view and EntryInfo, or null for both, and
  // returns an Update. It runs under the tier's protection, as visitors do.
  template <class Decide>
  UpdateOutcome update(KeyView key, TimePoint now, Decide&& decide) {
    const std::uint64_t hash = hash_(key);
    const auto changed = shard_of(hash).change(
        key, hash, now, [&](const Layout* entry) { return ask(decide, entry); });
    return {.existed = changed.existed, .put = changed.put};
  }

  // Drops everything, or one cache's entries. O(1): they are gone at once, and
  // expire() and later puts give their memory back.
  void clear() LARDER_EXCLUDES(listener_mutex_) {
    for (auto& shard : shards_) shard->clear();
    tell_of_clear(std::nullopt);
  }
  void clear(Space space) LARDER_EXCLUDES(listener_mutex_) {
    for (auto& shard : shards_) shard->clear(space);
    tell_of_clear(space);
  }

  // Walks entries with the guarantees of Redis's SCAN: what is there from the
  // start of the walk to its end is seen at least once. Starts at cursor 0, looks
  // at about `count` entries, and returns the next cursor; 0 again: done.
  // visitor(KeyView, ValueView, const EntryInfo&).
  template <class Visitor>
  std::uint64_t scan(std::uint64_t cursor, std::size_t count, TimePoint now, Visitor&& visitor) {
    std::size_t seen = 0;
    std::size_t looked = 0;
    std::uint64_t shard = cursor % shards_.size();
    std::uint64_t bucket = cursor / shards_.size();
    do {
      bucket = shards_[shard]->scan(bucket, now, [&](const Layout& entry) {
        ++seen;
        visitor(entry.key(), entry.value(), entry.info());
      });
      if (bucket == 0 && ++shard == shards_.size()) return 0;
    } while (seen < count && ++looked < 10 * count);
    return bucket * shards_.size() + shard;
  }

  // Gives back the memory of entries that have expired at `now`, at most `limit`
  // of them, and some of what clear() dropped; how many had expired. Work is
  // proportional to that, and locks are held for a few entries at a time. Its
  // owner calls it now and then: expired entries are never served in any case.
  std::size_t expire(TimePoint now, std::size_t limit) {
    constexpr std::size_t kAtATime = 128;
    std::size_t expired = 0;
    for (auto& shard : shards_) {
      for (bool more = true; more && expired < limit;) {
        const auto done = shard->expire(now, std::min(limit - expired, kAtATime));
        expired += done.entries;
        more = done.more;
      }
    }
    return expired;
  }

  [[nodiscard]] MemoryStats stats() const {
    MemoryStats all;
    for (const auto& shard : shards_) {
      shard->count([&](Space, const auto& count) { add(all, count); });
      all.barriers += shard->barriers();
    }
    return all;
  }
  [[nodiscard]] MemoryStats stats(Space space) const {
    MemoryStats own;
    for (const auto& shard : shards_) {
      shard->count([&](Space of, const auto& count) {
        if (of == space) add(own, count);
      });
    }
    return own;
  }
  // Memory that the tier has from the system: entries with what is free between them, the
  // table, and what is remembered of the evicted; not what typed keys and values own elsewhere.
  // More than the capacity only until the next puts, where a table has just grown.
  [[nodiscard]] ByteCount resident() const {
    std::uint64_t bytes = 0;
    for (const auto& shard : shards_) bytes += shard->resident();
    return {bytes};
  }
  // What an entry takes of the memory: header, key, value, and its place in the table.
  [[nodiscard]] static ByteCount footprint(KeyView key, ValueView value, const EntryInfo& info) {
    return {Shard::footprint(key, value, info)};
  }
  [[nodiscard]] ByteCount capacity() const { return options_.capacity; }
  // The largest entry that the tier takes, overhead included: see takes().
  [[nodiscard]] ByteCount largest_entry() const { return largest_entry(options_); }
  [[nodiscard]] static ByteCount largest_entry(const MemoryOptions& options) {
    return {room_for(options, shards_for(options)).most};
  }

 private:
  void tell_of_clear(std::optional<Space> space) LARDER_EXCLUDES(listener_mutex_) {
    const MutexLock lock{listener_mutex_};
    if (listener_ != nullptr) listener_->cleared(space);
  }

  // A power of two.
  static unsigned shards_for(const MemoryOptions& options) {
    constexpr std::uint64_t kGoodShard = 1ULL << 20;
    constexpr std::uint64_t kLeastShared = 4ULL << 20;   // below, large values matter more
    constexpr std::uint64_t kLargestShard = 8ULL << 30;  // an arena's references reach that far
    constexpr unsigned kMostShards = 256;
    const std::uint64_t capacity = options.capacity.bytes;
    if (options.shards != 0) return std::bit_floor(std::min(options.shards, kMostShards));
    if (options.charge == Charge::kValue) return 1;
    const std::uint64_t good =
        capacity < kLeastShared ? 1
                                : std::min<std::uint64_t>(std::bit_floor(capacity / kGoodShard), 8);
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(std::bit_ceil(capacity / kLargestShard), good, kMostShards));
  }

  static detail::ShardRoom room_for(const MemoryOptions& options, unsigned shards) {
    constexpr std::uint64_t kAddressesAnEntry = 128;
    constexpr std::uint64_t kLeastArena = 64ULL << 10;
    constexpr std::uint64_t kMostArena = 12ULL << 30;
    constexpr std::uint64_t kGhosts = 2048;
    constexpr std::uint64_t kBetweenMarkers = 1024;  // of 16 bytes
    const std::uint64_t share = std::max<std::uint64_t>(options.capacity.bytes / shards, 1);
    const bool memory = options.charge == Charge::kMemory;
    // Where values weigh what they like, an entry may weigh as little as 1.
    const std::uint64_t wanted =
        memory ? share : std::min(share, kMostArena / kAddressesAnEntry) * kAddressesAnEntry;
    return {
        .capacity = share,
        .most = shards == 1 ? share : std::min(share, options.capacity.bytes / 8),
        .arena_bytes = std::clamp(wanted, kLeastArena, kMostArena),
        // Many for the small, as long as they take little of a small capacity.
        .least_ghosts = static_cast<std::size_t>(memory ? std::min(kGhosts, share / 512) : kGhosts),
        .least_spacing = memory ? kBetweenMarkers : 1,
        .memory = memory};
  }

  template <class Count>
  static void add(MemoryStats& stats, const Count& count) {
    stats.entries += count.entries;
    stats.bytes += count.bytes;
    stats.absences += count.absences;
    stats.evictions += count.evictions;
    stats.expirations += count.expirations;
    stats.too_large += count.too_large;
    stats.no_memory += count.no_memory;
  }

  [[nodiscard]] Shard& shard_of(std::uint64_t hash) const {
    return *shards_[(hash >> 56) * shard_count_ >> 8];
  }

  template <class Visitor>
  [[gnu::always_inline]] inline bool look(KeyView key, TimePoint now, bool use,
                                          Visitor&& visitor) const {
    const std::uint64_t hash = hash_(key);
    return shard_of(hash).visit(key, hash, now, use, visitor);
  }

  template <class Decide>
  static Update ask(Decide&& decide, const Layout* entry) {
    using Seen = std::remove_cvref_t<ValueView>;
    if (entry == nullptr) {
      return decide(static_cast<const Seen*>(nullptr), static_cast<const EntryInfo*>(nullptr));
    }
    const Seen& value = entry->value();
    const EntryInfo info = entry->info();
    return decide(&value, &info);
  }

  const MemoryOptions options_;
  const detail::KeyHash hash_;
  const unsigned shard_count_;
  detail::BucketRange buckets_;
  std::vector<std::unique_ptr<Shard>> shards_;  // fixed; each guards itself
  Mutex listener_mutex_;
  Listener* listener_ LARDER_GUARDED_BY(listener_mutex_) = nullptr;  // as the shards have it
};

}  // namespace larder
