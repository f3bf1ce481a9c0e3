// One shard of a memory tier: a hash table, an eviction order and a timing
// wheel over the same nodes, under one lock.
//
// Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache
// eviction", SOSP 2023): a small queue of newcomers (a tenth of the bytes), a
// main queue, and a ghost table that remembers the hashes of those that left the
// small queue unused, so that they go to the main queue when they come back.
//
// Expiry is a timing wheel of 4,096 slots of 256 ms: an entry that expires
// within the next 17 minutes is looked at once, in its slot; one that lives
// longer once a turn.
//
// Threads: any; each public function locks.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/detail/memory/node.hpp"
#include "larder/entry.hpp"
#include "larder/thread_annotations.hpp"

namespace larder::detail {

template <class Key, class Value>
class Shard {
 public:
  using Node = detail::Node<Key, Value>;
  using KeyView = typename Node::KeyView;
  using ValueView = typename Node::ValueView;

  struct Count {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t evictions = 0;
    std::uint64_t expirations = 0;
  };

  explicit Shard(std::size_t capacity) : capacity_{capacity}, buckets_(kLeastBuckets) {}
  ~Shard() {
    clear_if([](const Node&) { return true; });
  }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Calls visitor(node) for the usable entry, if there is one.
  template <class Visitor>
  bool visit(KeyView key, std::uint64_t hash, TimePoint now, bool use, Visitor&& visitor) {
    const MutexLock lock{mutex_};
    Node* node = find(key, hash, now);
    if (node == nullptr) return false;
    if (use && node->uses < 3) ++node->uses;
    visitor(*node);
    return true;
  }

  // Looks at what is there and does what decide(node or null) says, in one step:
  // decide returns a pair of what to do and (kStore) the new node, or null.
  enum class Action : std::uint8_t { kKeep, kErase, kSetInfo, kStore };
  struct Decision {
    Action action = Action::kKeep;
    EntryInfo info{};
    Node* node = nullptr;  // kStore: takes it over
  };
  template <class Decide>
  bool change(KeyView key, std::uint64_t hash, TimePoint now, Decide&& decide) {
    const MutexLock lock{mutex_};
    Node* node = find(key, hash, now);
    const Decision decision = decide(static_cast<const Node*>(node));
    switch (decision.action) {
      case Action::kKeep: break;
      case Action::kErase:
        if (node != nullptr) erase(*node);
        break;
      case Action::kSetInfo:
        if (node != nullptr) set_info(*node, decision.info);
        break;
      case Action::kStore: replace(node, *decision.node, now); break;
    }
    return node != nullptr;
  }

  template <class Predicate>
  void clear_if(Predicate drops) {
    const MutexLock lock{mutex_};
    for (Node*& bucket : buckets_) {
      for (Node* node = bucket; node != nullptr;) {
        Node* const next = node->next;
        if (drops(std::as_const(*node))) erase(*node);
        node = next;
      }
    }
  }

  // Visits the bucket at `cursor` and moves on; 0: the last one was visited. The
  // cursor counts in reversed bits, so that buckets that split while a scan is
  // under way are neither skipped nor, but for the unfinished ones, seen again
  // (as in Redis's dictScan).
  template <class Visitor>
  std::uint64_t scan(std::uint64_t cursor, TimePoint now, Visitor&& visitor) {
    const MutexLock lock{mutex_};
    const std::uint64_t mask = buckets_.size() - 1;
    for (const Node* node = buckets_[cursor & mask]; node != nullptr; node = node->next) {
      if (now < node->info.usable_until) visitor(*node);
    }
    cursor |= ~mask;
    return reverse(reverse(cursor) + 1);
  }

  // Gives back at most `limit` expired entries; how many.
  std::size_t expire(TimePoint now, std::size_t limit) {
    const MutexLock lock{mutex_};
    const std::uint64_t until = tick(now);
    // After a long pause, one turn of the wheel sees every slot.
    if (until - hand_ > kSlots) hand_ = until - kSlots;
    std::size_t expired = 0;
    for (; hand_ < until; ++hand_) {
      if (!expire_slot(static_cast<std::uint32_t>(hand_ % kSlots), now, limit, expired)) break;
    }
    return expired;
  }

  template <class Visitor>
  void count(Visitor&& visitor) const {
    const MutexLock lock{mutex_};
    for (std::size_t space = 0; space < counts_.size(); ++space) {
      visitor(static_cast<Space>(space), counts_[space]);
    }
  }

 private:
  static constexpr std::size_t kLeastBuckets = 16;
  static constexpr std::uint32_t kSlots = 4096;
  static constexpr Duration kTick = std::chrono::milliseconds{256};

  static std::uint64_t tick(TimePoint time) {
    return static_cast<std::uint64_t>(time.time_since_epoch() / kTick);
  }
  static std::uint64_t reverse(std::uint64_t bits) {
    std::uint64_t reversed = 0;
    for (int i = 0; i < 64; ++i) reversed |= (bits >> i & 1) << (63 - i);
    return reversed;
  }

  Count& count_of(const Node& node) LARDER_REQUIRES(mutex_) {
    if (node.info.space >= counts_.size()) counts_.resize(node.info.space + std::size_t{1});
    return counts_[node.info.space];
  }
  Node*& bucket_of(std::uint64_t hash) LARDER_REQUIRES(mutex_) {
    return buckets_[hash & (buckets_.size() - 1)];
  }

  Node* find(KeyView key, std::uint64_t hash, TimePoint now) LARDER_REQUIRES(mutex_) {
    for (Node* node = bucket_of(hash); node != nullptr; node = node->next) {
      if (node->hash == hash && node->key() == key) {
        if (now < node->info.usable_until) return node;
        ++count_of(*node).expirations;
        erase(*node);
        return nullptr;
      }
    }
    return nullptr;
  }

  void replace(Node* old, Node& node, TimePoint now) LARDER_REQUIRES(mutex_) {
    node.in_main = take_ghost(node.hash);
    if (old != nullptr) {
      node.uses = old->uses;
      node.in_main = old->in_main;
      erase(*old);
    }
    const std::size_t weight = node.weight();
    while (bytes_ + weight > capacity_ && bytes_ > 0) evict(now);
    insert(node, weight);
  }

  void insert(Node& node, std::size_t weight) LARDER_REQUIRES(mutex_) {
    if (nodes_ >= buckets_.size()) grow();
    Node*& bucket = bucket_of(node.hash);
    node.next = std::exchange(bucket, &node);
    if (node.in_main) {
      main_.push_front(node);
    } else {
      small_.push_front(node);
      small_bytes_ += weight;
    }
    file(node);
    ++nodes_;
    bytes_ += weight;
    Count& count = count_of(node);
    ++count.entries;
    count.bytes += weight;
  }

  void erase(Node& node) LARDER_REQUIRES(mutex_) {
    Node** link = &bucket_of(node.hash);
    while (*link != &node) link = &(*link)->next;
    *link = node.next;
    const std::size_t weight = node.weight();
    if (node.in_main) {
      main_.remove(node);
    } else {
      small_.remove(node);
      small_bytes_ -= weight;
    }
    slots_[node.slot].remove(node);
    --nodes_;
    bytes_ -= weight;
    Count& count = count_of(node);
    --count.entries;
    count.bytes -= weight;
    Node::destroy(&node);
  }

  void set_info(Node& node, EntryInfo info) LARDER_REQUIRES(mutex_) {
    slots_[node.slot].remove(node);
    info.space = node.info.space;  // entries do not move between caches
    node.info = info;
    file(node);
  }

  // Puts the node where the wheel's hand comes by when it expires. The slot's
  // tick has then passed, so that nothing is given back early.
  void file(Node& node) LARDER_REQUIRES(mutex_) {
    const std::uint64_t due = std::max(tick(node.info.usable_until), hand_);
    node.slot = static_cast<std::uint32_t>(due % kSlots);
    slots_[node.slot].push_front(node);
  }

  // False: `limit` was reached first.
  bool expire_slot(std::uint32_t slot, TimePoint now, std::size_t limit, std::size_t& expired)
      LARDER_REQUIRES(mutex_) {
    for (Node* node = slots_[slot].first(); node != nullptr;) {
      Node* const next = node->in_slot.after;
      if (node->info.usable_until <= now) {
        if (expired == limit) return false;
        ++expired;
        ++count_of(*node).expirations;
        erase(*node);
      }
      node = next;
    }
    return true;
  }

  void evict(TimePoint now) LARDER_REQUIRES(mutex_) {
    const bool from_small =
        small_.last() != nullptr && (small_bytes_ > capacity_ / 10 || main_.last() == nullptr);
    Node& node = from_small ? *small_.last() : *main_.last();
    const bool used = from_small ? node.uses > 1 : node.uses > 0;
    if (used && now < node.info.usable_until) {
      if (from_small) {
        small_.remove(node);
        small_bytes_ -= node.weight();
        node.in_main = true;
        node.uses = 0;
      } else {
        main_.remove(node);
        --node.uses;
      }
      main_.push_front(node);
      return;
    }
    if (from_small) leave_ghost(node.hash);
    ++count_of(node).evictions;
    erase(node);
  }

  // Ghosts: 32 bits of the hash of those that left, in a table as large as the
  // hash table is; a later one takes the place of an earlier one.
  void leave_ghost(std::uint64_t hash) LARDER_REQUIRES(mutex_) {
    if (ghosts_.size() != buckets_.size()) ghosts_.assign(buckets_.size(), 0);
    ghosts_[hash & (ghosts_.size() - 1)] = static_cast<std::uint32_t>(hash >> 32);
  }
  bool take_ghost(std::uint64_t hash) LARDER_REQUIRES(mutex_) {
    if (ghosts_.empty()) return false;
    auto& ghost = ghosts_[hash & (ghosts_.size() - 1)];
    if (ghost != static_cast<std::uint32_t>(hash >> 32)) return false;
    ghost = 0;
    return true;
  }

  void grow() LARDER_REQUIRES(mutex_) {
    std::vector<Node*> old(buckets_.size() * 2);
    old.swap(buckets_);
    for (Node* node : old) {
      while (node != nullptr) {
        Node* const next = node->next;
        Node*& bucket = bucket_of(node->hash);
        node->next = std::exchange(bucket, node);
        node = next;
      }
    }
  }

  const std::size_t capacity_;
  mutable Mutex mutex_;
  std::vector<Node*> buckets_ LARDER_GUARDED_BY(mutex_);  // a power of two of them
  std::size_t nodes_ LARDER_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  std::size_t small_bytes_ LARDER_GUARDED_BY(mutex_) = 0;  // of bytes_, in small_
  List<Node, &Node::in_queue> small_ LARDER_GUARDED_BY(mutex_);
  List<Node, &Node::in_queue> main_ LARDER_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> ghosts_ LARDER_GUARDED_BY(mutex_);
  std::array<List<Node, &Node::in_slot>, kSlots> slots_ LARDER_GUARDED_BY(mutex_){};
  std::uint64_t hand_ LARDER_GUARDED_BY(mutex_) = 0;     // the next tick to look at
  std::vector<Count> counts_ LARDER_GUARDED_BY(mutex_);  // by space
};

}  // namespace larder::detail
