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

#include <algorithm>
#include <bit>
#include <boost/container_hash/hash.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/detail/memory/node.hpp"
#include "larder/detail/memory/shard.hpp"
#include "larder/entry.hpp"
#include "larder/units.hpp"

namespace larder {

struct MemoryOptions {
  // Behaviour.
  ByteCount capacity{64ULL << 20};  // keys, values and the tier's own overhead, together
  // Speed, and proof against hash flooding: a test may fix it.
  std::optional<std::uint64_t> hash_seed{};  // none: random
};

struct MemoryStats {
  std::uint64_t entries = 0;      // now
  std::uint64_t bytes = 0;        // now; key, value and overhead
  std::uint64_t evictions = 0;    // removed to make room, since the start
  std::uint64_t expirations = 0;  // removed because their time had come
};

enum class PutOutcome : std::uint8_t { kStored, kTooLarge, kNoMemory };

template <class Key, class Value>
class MemoryTier {
  using Shard = detail::Shard<Key, Value>;
  using Node = typename Shard::Node;

 public:
  using KeyView = typename Node::KeyView;      // std::string_view for std::string, else const Key&
  using ValueView = typename Node::ValueView;  // likewise, else const Handle<Value>&

  // Hash and equality that take a KeyView for a Key.
  struct Hash {
    using is_transparent = void;
    template <class K>
    std::size_t operator()(const K& key) const {
      if constexpr (Node::kByteKey) {
        return boost::hash<std::string_view>{}(key);
      } else {
        return boost::hash<Key>{}(key);
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

  // What update()'s decision asks for.
  class Update {
   public:
    static Update keep() { return Update{Shard::Action::kKeep}; }
    static Update erase() { return Update{Shard::Action::kErase}; }
    // The same value with other times; without a usable copy it does nothing.
    static Update set_info(const EntryInfo& info) {
      Update update{Shard::Action::kSetInfo};
      update.info_ = info;
      return update;
    }
    // REQUIRES: `value` stays valid until update() returns.
    static Update store(ValueView value, const EntryInfo& info) {
      Update update{Shard::Action::kStore};
      update.info_ = info;
      if constexpr (Node::kByteValue) {
        update.value_ = value;
      } else {
        update.value_ = &value;
      }
      return update;
    }

   private:
    friend MemoryTier;
    explicit Update(typename Shard::Action action) : action_{action} {}

    [[nodiscard]] ValueView value() const {
      if constexpr (Node::kByteValue) {
        return value_;
      } else {
        return *value_;
      }
    }

    typename Shard::Action action_;
    EntryInfo info_{};
    std::conditional_t<Node::kByteValue, std::string_view, const Handle<Value>*> value_{};
  };

  struct UpdateOutcome {
    bool existed = false;                  // there was a usable copy when it was decided
    PutOutcome put = PutOutcome::kStored;  // of a store()
  };

  explicit MemoryTier(MemoryOptions options)
      : capacity_{options.capacity}, seed_{options.hash_seed ? *options.hash_seed : random_seed()} {
    // A shard holds no value larger than itself, so small tiers have but one.
    constexpr std::size_t kLeastShard = std::size_t{4} << 20;
    const std::size_t shards =
        std::clamp<std::size_t>(std::bit_floor(capacity_.bytes / kLeastShard), 1, 8);
    for (std::size_t i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<Shard>(capacity_.bytes / shards));
    }
  }

  // Calls visitor(ValueView, const EntryInfo&) if `key` has a copy that is
  // usable at `now`; tells whether it did. Counts as an access for eviction.
  template <class Visitor>
  bool visit(KeyView key, TimePoint now, Visitor&& visitor) {
    return look(key, now, true, visitor);
  }
  // The same without counting as an access (EXISTS, TTL, EXPLAIN, peek).
  template <class Visitor>
  bool inspect(KeyView key, TimePoint now, Visitor&& visitor) const {
    return look(key, now, false, visitor);
  }

  // How often the usable copy was visited of late, as eviction sees it: 0 to 3;
  // none without a copy.
  [[nodiscard]] std::optional<unsigned> uses(KeyView key, TimePoint now) const {
    const std::uint64_t hash = hash_of(key);
    std::optional<unsigned> uses;
    shard_of(hash).visit(key, hash, now, false, [&](const Node& node) { uses = node.uses; });
    return uses;
  }

  // Stores, replacing what was there. Evicts as needed. kTooLarge: larger than
  // the tier can hold; what was there under the key is gone all the same.
  PutOutcome put(KeyView key, ValueView value, const EntryInfo& info, TimePoint now) {
    return update(key, now,
                  [&](const auto*, const EntryInfo*) { return Update::store(value, info); })
        .put;
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
    UpdateOutcome outcome;
    const std::uint64_t hash = hash_of(key);
    Shard& shard = shard_of(hash);
    outcome.existed = shard.change(key, hash, now, [&](const Node* node) {
      const Update update = ask(decide, node);
      if (update.action_ != Shard::Action::kStore) {
        return typename Shard::Decision{.action = update.action_, .info = update.info_};
      }
      if (Node::weight(key, update.value()) > shard.capacity()) {
        outcome.put = PutOutcome::kTooLarge;
        return typename Shard::Decision{.action = Shard::Action::kErase};
      }
      Node* fresh = Node::make(key, update.value(), hash, update.info_);
      if (fresh == nullptr) {
        outcome.put = PutOutcome::kNoMemory;
        return typename Shard::Decision{.action = Shard::Action::kErase};
      }
      return typename Shard::Decision{.action = Shard::Action::kStore, .node = fresh};
    });
    return outcome;
  }

  // Drops everything, or one cache's entries.
  void clear() {
    for (auto& shard : shards_) shard->clear_if([](const Node&) { return true; });
  }
  void clear(Space space) {
    for (auto& shard : shards_) {
      shard->clear_if([space](const Node& node) { return node.info.space == space; });
    }
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
      bucket = shards_[shard]->scan(bucket, now, [&](const Node& node) {
        ++seen;
        visitor(node.key(), node.value(), node.info);
      });
      if (bucket == 0 && ++shard == shards_.size()) return 0;
    } while (seen < count && ++looked < 10 * count);
    return bucket * shards_.size() + shard;
  }

  // Gives back the memory of entries that have expired at `now`, about `limit`
  // of them at most; how many. Work is proportional to that. Its owner calls it
  // now and then: expired entries are never served in any case.
  std::size_t expire(TimePoint now, std::size_t limit) {
    std::size_t expired = 0;
    for (auto& shard : shards_) {
      if (expired < limit) expired += shard->expire(now, limit - expired);
    }
    return expired;
  }

  [[nodiscard]] MemoryStats stats() const {
    MemoryStats all;
    for (const auto& shard : shards_) {
      shard->count([&](Space, const auto& count) { add(all, count); });
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
  [[nodiscard]] ByteCount capacity() const { return capacity_; }

 private:
  static std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }

  template <class Count>
  static void add(MemoryStats& stats, const Count& count) {
    stats.entries += count.entries;
    stats.bytes += count.bytes;
    stats.evictions += count.evictions;
    stats.expirations += count.expirations;
  }

  // The seed keeps who chooses keys from choosing their buckets; the mixing
  // (MurmurHash3's finaliser) spreads what std-like hashes leave together.
  [[nodiscard]] std::uint64_t hash_of(KeyView key) const {
    std::size_t hash = seed_;
    if constexpr (Node::kByteKey) {
      boost::hash_range(hash, key.begin(), key.end());
    } else {
      boost::hash_combine(hash, Hash{}(key));
    }
    std::uint64_t mixed = hash;
    mixed = (mixed ^ (mixed >> 33)) * 0xFF51AFD7ED558CCDULL;
    mixed = (mixed ^ (mixed >> 33)) * 0xC4CEB9FE1A85EC53ULL;
    return mixed ^ (mixed >> 33);
  }
  [[nodiscard]] Shard& shard_of(std::uint64_t hash) const {
    return *shards_[(hash >> 56) % shards_.size()];
  }

  template <class Visitor>
  bool look(KeyView key, TimePoint now, bool use, Visitor&& visitor) const {
    const std::uint64_t hash = hash_of(key);
    return shard_of(hash).visit(key, hash, now, use,
                                [&](const Node& node) { visitor(node.value(), node.info); });
  }

  template <class Decide>
  static Update ask(Decide&& decide, const Node* node) {
    using Seen = std::remove_cvref_t<ValueView>;
    if (node == nullptr)
      return decide(static_cast<const Seen*>(nullptr), static_cast<const EntryInfo*>(nullptr));
    const Seen& value = node->value();
    return decide(&value, &node->info);
  }

  const ByteCount capacity_;
  const std::uint64_t seed_;
  std::vector<std::unique_ptr<Shard>> shards_;  // fixed; each guards itself
};

}  // namespace larder
