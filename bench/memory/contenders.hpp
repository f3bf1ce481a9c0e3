// Caches of 8-byte keys and 64-byte values under one small interface: larder and
// its peers.
//
//   read(key)        the digest of the value, or nothing
//   put(key, value)
//
// Threads: any, but for FlatMap.
#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "larder/memory_tier.hpp"
#include "workload.hpp"

namespace larder::bench {

// What is measured: keys are numbers, values bytes, as in a server that keeps
// rows by their ids.
class Larder {
 public:
  explicit Larder(std::uint64_t capacity) : tier_{{.capacity = {capacity}}} {}

  // What an entry of this shape takes, as the tier counts it.
  static std::uint64_t footprint() {
    return decltype(tier_)::footprint(0, bytes_of(Value{}), info()).bytes;
  }

  std::optional<std::uint64_t> read(std::uint64_t key) {
    std::optional<std::uint64_t> seen;
    tier_.visit(key, kNow, [&](std::string_view value, const EntryInfo&) {
      Value copy;
      std::memcpy(copy.data(), value.data(), sizeof copy);
      seen = digest(copy);
    });
    return seen;
  }
  void put(std::uint64_t key, const Value& value) { tier_.put(key, bytes_of(value), info(), kNow); }
  [[nodiscard]] std::uint64_t entries() const { return tier_.stats().entries; }
  // What the writers had the threads that run pass: MemoryStats::barriers.
  [[nodiscard]] std::uint64_t barriers() const { return tier_.stats().barriers; }

 private:
  static constexpr TimePoint kNow{std::chrono::hours{1}};
  static EntryInfo info() {
    constexpr TimePoint kUntil = kNow + std::chrono::hours{1};
    return {.filled_at = kNow, .fresh_until = kUntil, .usable_until = kUntil};
  }

  MemoryTier<std::uint64_t, std::string> tier_;
};

// The floor: no expiry, no eviction, one thread.
class FlatMap {
 public:
  std::optional<std::uint64_t> read(std::uint64_t key) {
    const auto found = map_.find(key);
    if (found == map_.end()) return std::nullopt;
    return digest(found->second);
  }
  void put(std::uint64_t key, const Value& value) { map_[key] = value; }
  void reserve(std::uint64_t entries) { map_.reserve(entries); }

 private:
  boost::unordered_flat_map<std::uint64_t, Value> map_;
};

// The least that an LRU for several threads can be: 16 shards, a mutex, a hash table and a
// list by recency each. Nodes lie in an array, and so are of one size; the table is Boost's
// fastest; nothing is weighed, and nothing expires.
class BareLru {
 public:
  explicit BareLru(std::uint64_t entries) {
    for (auto& shard : shards_) shard = std::make_unique<Shard>(entries / kShards);
  }
  std::optional<std::uint64_t> read(std::uint64_t key) { return shard_of(key).read(key); }
  void put(std::uint64_t key, const Value& value) { shard_of(key).put(key, value); }
  [[nodiscard]] std::uint64_t entries() const {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->entries();
    return sum;
  }

 private:
  static constexpr std::size_t kShards = 16;

  class alignas(64) Shard {
   public:
    explicit Shard(std::uint64_t most);
    std::optional<std::uint64_t> read(std::uint64_t key);
    void put(std::uint64_t key, const Value& value);
    [[nodiscard]] std::uint64_t entries() const;

   private:
    using Index = std::uint32_t;
    struct Node {
      std::uint64_t key = 0;
      Value value{};
      Index older = 0;
      Index newer = 0;
    };
    void unlink(Index node);
    void link_newest(Index node);

    mutable std::mutex mutex_;
    boost::unordered_flat_map<std::uint64_t, Index> by_key_;
    std::vector<Node> nodes_;  // the first is the ring's anchor
    std::uint64_t most_;
  };

  Shard& shard_of(std::uint64_t key) { return *shards_[(key * 0x9E3779B97F4A7C15) >> 60]; }
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

// What one writes by hand when one needs such an LRU: the standard library's list and hash
// table, 16 of each, and values that are strings.
class ListLru {
 public:
  explicit ListLru(std::uint64_t entries) : most_{std::max<std::uint64_t>(entries / kShards, 1)} {}
  std::optional<std::uint64_t> read(std::uint64_t key);
  void put(std::uint64_t key, const Value& value);
  [[nodiscard]] std::uint64_t entries() const;

 private:
  static constexpr std::size_t kShards = 16;

  struct Item {
    std::uint64_t key;
    std::string value;
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::list<Item> items;  // the latest first
    std::unordered_map<std::uint64_t, std::list<Item>::iterator> by_key;
  };

  [[nodiscard]] Shard& shard_of(std::uint64_t key) const {
    return shards_[(key * 0x9E3779B97F4A7C15) >> 60];
  }

  std::uint64_t most_;  // entries of a shard
  mutable std::array<Shard, kShards> shards_;
};

// Caches of RocksDB, where its package is installed: HyperClockCache, and LRUCache, which
// is an LRU with a mutex for each of 16 shards.
class RocksDbCache {
 public:
  enum class Kind : std::uint8_t { kHyperClock, kLru };
  // Whether this program was built with them.
  static bool available();

  RocksDbCache(Kind kind, std::uint64_t entries);
  ~RocksDbCache();
  RocksDbCache(const RocksDbCache&) = delete;
  RocksDbCache& operator=(const RocksDbCache&) = delete;

  std::optional<std::uint64_t> read(std::uint64_t key);
  void put(std::uint64_t key, const Value& value);
  [[nodiscard]] std::uint64_t entries() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::bench
