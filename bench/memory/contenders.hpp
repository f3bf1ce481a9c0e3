// Caches of 8-byte keys and 64-byte values under one small interface: larder and
// its peers.
//
//   read(key)        the digest of the value, or nothing
//   put(key, value)
//
// Threads: any, but for FlatMap.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
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

// What one writes when one needs a cache: 16 shards, a mutex, a hash table and a
// list by recency each. Nodes lie in an array; the table is Boost's fastest.
class ShardedLru {
 public:
  explicit ShardedLru(std::uint64_t entries) {
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

// RocksDB's HyperClockCache, where its package is installed.
class HyperClock {
 public:
  // Whether this program was built with it.
  static bool available();

  explicit HyperClock(std::uint64_t entries);
  ~HyperClock();
  HyperClock(const HyperClock&) = delete;
  HyperClock& operator=(const HyperClock&) = delete;

  std::optional<std::uint64_t> read(std::uint64_t key);
  void put(std::uint64_t key, const Value& value);
  [[nodiscard]] std::uint64_t entries() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::bench
