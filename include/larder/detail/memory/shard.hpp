// One shard of a memory tier: a table, an eviction order and an expiry wheel over
// the entries of one arena.
//
// Readers take no lock: they count themselves in (readers.hpp), walk the table,
// and read an entry that never changes. Writers hold the shard's mutex. A changed
// entry is a new block that takes the old one's place in the table by one atomic
// store; the old block goes to limbo until no reader can see it.
//
// Threads: any; each public function says whether it locks. A user's code that
// runs under the lock: decide, visitors of scan(), hash and equality of keys, and
// the destructors of typed keys and values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#include "larder/clock.hpp"
#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/block_kind.hpp"
#include "larder/detail/memory/bucket_table.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/entry_block.hpp"
#include "larder/detail/memory/eviction.hpp"
#include "larder/detail/memory/expiry_wheel.hpp"
#include "larder/detail/memory/key_hash.hpp"
#include "larder/detail/memory/limbo.hpp"
#include "larder/detail/memory/readers.hpp"
#include "larder/detail/memory/shard_room.hpp"
#include "larder/detail/memory/short_mutex.hpp"
#include "larder/detail/memory/space_counts.hpp"
#include "larder/detail/memory/update.hpp"
#include "larder/entry.hpp"
#include "larder/memory_listener.hpp"
#include "larder/put_outcome.hpp"
#include "larder/thread_annotations.hpp"

namespace larder::detail {

template <class Key, class Value>
class Shard {
 public:
  using Layout = EntryLayout<Key, Value>;
  using KeyView = typename Layout::KeyView;
  using ValueView = typename Layout::ValueView;
  using Update = detail::Update<Key, Value>;
  using Listener = MemoryListener<KeyView>;

  // The one with this number, from 0, of a tier's. `hash` and `buckets` must outlive it.
  Shard(const ShardRoom& room, const KeyHash& hash, BucketRange& buckets, unsigned number)
      : room_{room},
        hash_{hash},
        arena_{room.arena_bytes},
        table_{arena_, buckets, number},
        wheel_{arena_},
        eviction_{arena_, entries_, room.capacity, room.least_ghosts, room.least_spacing} {
    const ShortLock lock{mutex_};
    fit();
  }
  ~Shard() {
    const ShortLock lock{mutex_};
    for (std::uint64_t bucket = 0; bucket < table_.buckets(); ++bucket) {
      table_.for_each_in(bucket, [this](Ref entry) { Layout::destroy(arena_.at(entry)); });
    }
    empty_limbo();
  }
  // How many entries may be in a shard of that room.
  static std::size_t most_entries(const ShardRoom& room) {
    constexpr std::uint64_t kLeastEntry = 40;  // bytes; EntryHead and sizes, rounded
    return room.arena_bytes / kLeastEntry + 1;
  }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  static std::uint64_t footprint(KeyView key, ValueView value, const EntryInfo& info) {
    constexpr std::uint64_t kInTable = 9;
    return Arena::rounded(Layout::block_size(key, value, info)) + kInTable +
           Layout::elsewhere(Layout::key_size(key), Layout::value_size(value));
  }

  // Whether an entry is not too large to be stored. Takes no lock.
  [[nodiscard]] bool takes(KeyView key, ValueView value, const EntryInfo& info) const {
    return weight_of(Layout::block_size(key, value, info), key, value) <= room_.most;
  }

  // Calls visitor(value, info) for the usable entry, if there is one. Takes no
  // lock and allocates nothing: the hot path, guarded by bench/memory's `hit`.
  //
  // What nearly every hit is goes by in as few instructions as can be, with nothing to
  // keep over a call: the fewer they are, the more hits' cache misses overlap.
  template <class Visitor>
  [[gnu::always_inline]] inline bool visit(KeyView key, std::uint64_t hash, TimePoint now, bool use,
                                           Visitor&& visitor) {
    if (Readers::owns_line()) [[likely]] {
      const auto section = readers_.enter_own();
      const bool voided = spaces_.any_voided();
      const Ref ref = table_.candidate(hash);
      if (ref != 0 && !voided) [[likely]] {
        char* const block = arena_.at(ref);
        const Layout entry{block};
        if (entry.is_plain_and_has(key) && head_of(block).usable(now)) [[likely]] {
          const ValueView value = entry.value();
          const EntryInfo info = entry.info();
          if (use) head_of(block).count_use();
          visitor(value, info);
          return true;
        }
      }
    }
    const Sight sight{*this, key, hash, now};
    if (sight.block == nullptr) return false;
    if (use) head_of(sight.block).count_use();
    const Layout entry{sight.block};
    visitor(entry.value(), entry.info());
    return true;
  }
  // How often the usable entry was visited since eviction last looked. Takes no lock.
  [[nodiscard]] std::optional<unsigned> uses(KeyView key, std::uint64_t hash, TimePoint now) {
    const Sight sight{*this, key, hash, now};
    if (sight.block == nullptr) return std::nullopt;
    return head_of(sight.block).used();
  }

  // Has the processor fetch what visit() and change() will look at. Takes no lock.
  void prefetch(std::uint64_t hash) {
    constexpr std::size_t kLine = 64;
    const auto section = readers_.enter();
    const Ref ref = table_.candidate(hash);
    if (ref == 0) return;
    const char* const block = arena_.at(ref);
    for (std::size_t line = 0; line < 3; ++line) __builtin_prefetch(block + line * kLine);
  }

  struct Changed {
    bool existed = false;
    PutOutcome put = PutOutcome::kStored;
  };
  // Looks at what is there and does what decide(layout or null) says. Locks.
  template <class Decide>
  Changed change(KeyView key, std::uint64_t hash, TimePoint now, Decide&& decide)
      LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    eviction_.fetch(hash);
    entries_.now = now;
    const Ref old = find_usable(key, hash, now);
    if (old != 0) {
      eviction_.fetch_neighbours(old);
      wheel_.fetch(old);
    }
    Changed changed{.existed = old != 0};
    bool told = false;
    const auto apply = [&](const Update& update) {
      mutex_.assert_held();
      told = changes(update, old != 0);
      switch (update.action()) {
        case Update::Action::kKeep: break;
        case Update::Action::kErase:
          if (old != 0) drop(old, hash);
          break;
        case Update::Action::kSetInfo:
          if (old != 0) changed.put = set_info(old, key, hash, update.info());
          break;
        case Update::Action::kStore:
          changed.put = store(old, key, hash, update.value(), update.info());
          break;
        case Update::Action::kStoreOrErase:
          changed.put = store(old, key, hash, update.value(), update.info());
          if (old != 0 && changed.put != PutOutcome::kStored) drop(old, hash);
          break;
      }
    };
    if (old != 0) {
      const Layout entry{arena_.at(old)};
      apply(decide(&entry));
    } else {
      apply(decide(static_cast<const Layout*>(nullptr)));
    }
    if (told) tell(key);
    reclaim_if_worthwhile();
    if (arena_.overhangs()) draw_back();
    return changed;
  }

  // Has it told of changes from now on; null: nobody. When this returns, the one before is
  // being told nothing any more. Locks.
  void listen(Listener* listener) LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    listener_ = listener;
  }

  // Void all entries, or a space's, in O(spaces) and O(1). Locks.
  void clear() LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    spaces_.clear();
    begin_sweep();
  }
  void clear(Space space) LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    spaces_.clear(space);
    begin_sweep();
  }

  // Visits one bucket's usable entries, visitor(layout); see BucketTable::scan. Locks.
  template <class Visitor>
  std::uint64_t scan(std::uint64_t cursor, TimePoint now, Visitor&& visitor)
      LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    entries_.now = now;
    return table_.scan(cursor, [&](Ref ref) {
      mutex_.assert_held();
      if (!entries_.dead(ref)) visitor(Layout{arena_.at(ref)});
    });
  }

  struct Expired {
    std::size_t entries = 0;
    bool more = false;  // perhaps: the work for one call was done
  };
  // Gives back at most `limit` expired entries, and a part of what a clear() left.
  // Locks, for some microseconds for each entry of `limit` at most.
  Expired expire(TimePoint now, std::size_t limit) LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    entries_.now = now;
    Expired expired;
    std::size_t steps = kStepsToExpire * limit;
    while (expired.entries < limit) {
      const Ref entry = wheel_.pop_due(now, steps);
      if (entry == 0) break;
      count_expiration(entry);
      drop(entry, entries_.hash(entry));
      tell_of(entry);
      ++expired.entries;
      reclaim_if_worthwhile();
    }
    expired.more = expired.entries == limit || steps == 0;
    sweep(limit);
    reclaim();
    draw_back();
    return expired;
  }

  // What MemoryTier::resident() tells of. Locks.
  [[nodiscard]] std::uint64_t resident() const LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    return arena_.resident() + table_.bytes() + eviction_.ghost_bytes();
  }

  // How often readers were asked whether they are gone. Locks.
  [[nodiscard]] std::uint64_t barriers() const LARDER_EXCLUDES(mutex_);

  // visitor(space, count). Locks.
  template <class Visitor>
  void count(Visitor&& visitor) const LARDER_EXCLUDES(mutex_) {
    const ShortLock lock{mutex_};
    for (std::size_t space = 0; space < spaces_.all().size(); ++space) {
      visitor(static_cast<Space>(space), spaces_.all()[space]);
    }
  }

 private:
  static constexpr std::size_t kStepsToExpire = 8;  // entries looked at for each that has expired
  // What waits in a batch before it is worth the readers' barrier: few blocks where
  // entries do not weigh what memory they take, and a part of the capacity else.
  static constexpr std::size_t kLimboBlocks = 256;
  static constexpr std::size_t kLimboUnweighed = 64;
  static constexpr std::uint64_t kLimboShare = 64;
  static constexpr std::uint64_t kSlack = 16;  // of the memory is left for fragmentation and limbo
  static constexpr unsigned kMostUnswept = 200;        // of the 256 that a generation has
  static constexpr std::size_t kLeastRun = 32 << 10;   // bytes; a clearing is for several blocks
  static constexpr std::size_t kDrawnBack = 64 << 10;  // bytes at a time

  // What Eviction asks about entries.
  struct Entries {
    explicit Entries(const Shard& of) : shard{of} {}

    [[nodiscard]] std::uint64_t weight(Ref ref) const {
      const Layout entry{shard.arena_.at(ref)};
      if (!shard.room_.memory) return std::max<std::uint64_t>(entry.value_weight(), 1);
      return shard.arena_.size(ref) + entry.elsewhere();
    }
    [[nodiscard]] std::uint64_t hash(Ref ref) const {
      return shard.hash_(Layout{shard.arena_.at(ref)}.key());
    }
    [[nodiscard]] bool dead(Ref ref) const {
      const auto& head = *reinterpret_cast<const EntryHead*>(shard.arena_.at(ref));
      return !head.usable(now) || voided(ref);
    }
    [[nodiscard]] bool voided(Ref ref) const { return shard.is_voided(ref); }
    [[nodiscard]] std::size_t count() const { return entries; }

    const Shard& shard;
    TimePoint now{};          // of the operation under way
    std::size_t entries = 0;  // in the table
  };

  // By a reader in its section, or under the lock.
  [[nodiscard]] Ref find(KeyView key, std::uint64_t hash) const {
    return table_.find(hash, [&](Ref ref) { return Layout{arena_.at(ref)}.has_key(key); });
  }
  // The usable entry, and the section that keeps it in sight; null if there is none.
  struct Sight {
    [[gnu::noinline]] Sight(Shard& shard, KeyView key, std::uint64_t hash, TimePoint now)
        : section{shard.readers_.enter()}, block{shard.seen(key, hash, now)} {}

    Readers::Section section;
    char* block;
  };
  [[nodiscard]] char* seen(KeyView key, std::uint64_t hash, TimePoint now) const {
    const bool voided = spaces_.any_voided();
    const Ref ref = find(key, hash);
    if (ref == 0) return nullptr;
    char* const block = arena_.at(ref);
    if (!head_of(block).usable(now)) return nullptr;
    if (voided && is_voided(ref)) return nullptr;
    return block;
  }
  [[nodiscard]] bool is_voided(Ref ref) const {
    return head(ref).generation != spaces_.generation(EntryFields{arena_.at(ref)}.space());
  }
  // Drops what is there but not usable.
  Ref find_usable(KeyView key, std::uint64_t hash, TimePoint now) LARDER_REQUIRES(mutex_) {
    const Ref ref = find(key, hash);
    if (ref == 0 || !entries_.dead(ref)) return ref;
    if (!head(ref).usable(now)) count_expiration(ref);
    drop(ref, hash);
    tell_of(ref);
    return 0;
  }

  // Whether an update changes anything for those who know what was there.
  static bool changes(const Update& update, bool existed) {
    switch (update.action()) {
      case Update::Action::kKeep: return false;
      case Update::Action::kSetInfo: return existed;
      default: return existed || !update.fills();
    }
  }
  // Only once nobody can see what was there any more: who looks after it was told sees what
  // there is now.
  void tell(KeyView key) LARDER_REQUIRES(mutex_) {
    if (listener_ != nullptr) listener_->changed(key);
  }
  // The same of an entry that has left the table, and lies in limbo. One that clear() voided
  // was told with all others.
  void tell_of(Ref entry) LARDER_REQUIRES(mutex_) {
    if (listener_ != nullptr && !entries_.voided(entry))
      listener_->changed(Layout{arena_.at(entry)}.key());
  }

  // What is refused leaves `old` as it was, and is counted.
  PutOutcome store(Ref old, KeyView key, std::uint64_t hash, ValueView value, const EntryInfo& info)
      LARDER_REQUIRES(mutex_) {
    if (!prepare(info.space)) return PutOutcome::kNoMemory;
    const PutOutcome outcome = try_store(old, key, hash, value, info);
    if (outcome == PutOutcome::kTooLarge) ++spaces_.of(info.space).too_large;
    if (outcome == PutOutcome::kNoMemory) ++spaces_.of(info.space).no_memory;
    return outcome;
  }
  PutOutcome try_store(Ref old, KeyView key, std::uint64_t hash, ValueView value,
                       const EntryInfo& info) LARDER_REQUIRES(mutex_) {
    const std::size_t size = Layout::block_size(key, value, info);
    const std::uint64_t weight = weight_of(size, key, value);
    if (weight > room_.most) return PutOutcome::kTooLarge;
    if (info.usable_until <= entries_.now) {
      if (old != 0) drop(old, hash);
      return PutOutcome::kStored;
    }
    if (room_.memory && weight > budget()) return PutOutcome::kNoMemory;
    // What a store writes to is likely in the cache of the core that stored last: fetched at once.
    eviction_.fetch_ends();
    arena_.fetch(size);
    wheel_.fetch(info.usable_until);
    // Out of the queues, so that it is not evicted meanwhile; readers still see it.
    bool to_main = false;
    std::uint8_t uses = 0;
    pinned_ = old;
    if (old != 0) {
      to_main = eviction_.in_main(old);
      uses = head(old).used();
      leave_queues(old);
    } else {
      const Place place = eviction_.arrives(hash, weight);
      if (place == Place::kNowhere) {
        ++spaces_.of(info.space).evictions;
        return PutOutcome::kStored;
      }
      to_main = place == Place::kMain;
    }
    while (eviction_.weight() + weight > eviction_.capacity() && evict()) {
    }
    const Ref fresh = make(size, key, value, info);
    if (fresh == 0 || (old == 0 && !enter_table(fresh, hash))) {
      if (fresh != 0) discard(fresh);
      if (old != 0) enter_queues(old, to_main);
      return PutOutcome::kNoMemory;
    }
    if (old != 0) {
      head(fresh).set_used(std::max(uses, std::uint8_t{1}));
      table_.replace(hash, old, fresh);
      retire(old);
    } else {
      ++entries_.entries;
    }
    enter_queues(fresh, to_main);
    grow();
    return PutOutcome::kStored;
  }

  // Entries never change under their readers, so other times are another entry.
  PutOutcome set_info(Ref old, KeyView key, std::uint64_t hash, EntryInfo info)
      LARDER_REQUIRES(mutex_) {
    const Layout entry{arena_.at(old)};
    info.space = entry.space();  // entries do not move between caches
    const std::uint8_t uses = head(old).used();
    const PutOutcome outcome = store(old, key, hash, entry.value(), info);
    // Being given another expiry is no use.
    if (const Ref fresh = uses == 0 ? find(key, hash) : 0; fresh != 0) head(fresh).set_used(0);
    return outcome;
  }

  // A block with the entry in it; 0 if there is no memory for it.
  Ref make(std::size_t size, KeyView key, ValueView value, const EntryInfo& info)
      LARDER_REQUIRES(mutex_) {
    const Ref block = allocate(size);
    return block == 0 ? 0 : construct(block, key, value, info, spaces_.generation(info.space));
  }
  Ref construct(Ref block, KeyView key, ValueView value, const EntryInfo& info,
                std::uint8_t generation) LARDER_REQUIRES(mutex_) {
    if constexpr (Layout::kByteKey) {
      Layout::construct(arena_.at(block), key, value, info, generation);
    } else {
      try {
        Layout::construct(arena_.at(block), key, value, info, generation);
      } catch (const std::bad_alloc&) {  // of copying the key
        arena_.release(block);
        return 0;
      }
    }
    return block;
  }

  // Evicts until there is a block of that size; 0 if that does not help. Where enough is free,
  // but scattered, what lies between is moved instead.
  Ref allocate(std::size_t size) LARDER_REQUIRES(mutex_);
  // Brings together so much of what is free, if it can.
  void make_run(std::size_t bytes) LARDER_REQUIRES(mutex_);
  // Gives memory back that lies beyond the arena's limit, by moving what is there.
  void draw_back() LARDER_REQUIRES(mutex_);
  void clear_overhang() LARDER_REQUIRES(mutex_);  // the same of all but what is pinned
  // Drops the entry in that block; false if there is none.
  bool evict_instead(Ref block) LARDER_REQUIRES(mutex_);
  // Takes what a block holds elsewhere, for clear_run().
  bool move_away(Ref block) LARDER_REQUIRES(mutex_);
  bool move_entry(Ref old) LARDER_REQUIRES(mutex_);

  // Evicts until a bucket of the table has room, or there is memory for one that overflows.
  bool enter_table(Ref entry, std::uint64_t hash) LARDER_REQUIRES(mutex_);

  bool evict() LARDER_REQUIRES(mutex_);
  // What is evicted was not looked at of late, nor was what it is linked with. So for the
  // one that is likely the next, all of that is fetched now, at once and without waiting.
  void look_ahead(Ref evicted) LARDER_REQUIRES(mutex_);

  void drop(Ref entry, std::uint64_t hash) LARDER_REQUIRES(mutex_) {
    leave_queues(entry);
    leave_table(entry, hash);
  }
  void leave_table(Ref entry, std::uint64_t hash) LARDER_REQUIRES(mutex_) {
    table_.erase(hash, entry);
    --entries_.entries;
    retire(entry);
  }
  void leave_queues(Ref entry) LARDER_REQUIRES(mutex_) {
    const Ref marker = eviction_.remove(entry);
    if (marker != 0) {
      arena_.set_flags(marker, kTaken);  // it is in no queue; what clears a run leaves it be
      retire(marker);
    }
    wheel_.remove(entry);
    uncount(entry);
  }
  void enter_queues(Ref entry, bool to_main) LARDER_REQUIRES(mutex_) {
    eviction_.add(entry, to_main);
    wheel_.add(entry);
    SpaceCount& count = count_of(entry);
    ++count.entries;
    count.bytes += entries_.weight(entry);
    if (head(entry).is(EntryHead::kAbsent)) ++count.absences;
  }
  void uncount(Ref entry) LARDER_REQUIRES(mutex_) {
    if (entries_.voided(entry)) return;  // clear() has done it
    SpaceCount& count = count_of(entry);
    --count.entries;
    count.bytes -= entries_.weight(entry);
    if (head(entry).is(EntryHead::kAbsent)) --count.absences;
  }
  void count_expiration(Ref entry) LARDER_REQUIRES(mutex_) {
    if (!entries_.voided(entry)) ++count_of(entry).expirations;
  }
  SpaceCount& count_of(Ref entry) LARDER_REQUIRES(mutex_) {
    return spaces_.of(Layout{arena_.at(entry)}.space());
  }
  bool prepare(Space space) LARDER_REQUIRES(mutex_) {
    try {
      spaces_.prepare(space);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  // A block that readers may still see.
  void retire(Ref block) LARDER_REQUIRES(mutex_) { limbo_.add(block, held_by(block)); }
  // A block that no reader can see.
  void discard(Ref block) LARDER_REQUIRES(mutex_) {
    if ((arena_.flags(block) & kNoEntry) == 0) Layout::destroy(arena_.at(block));
    arena_.release(block);
  }
  [[nodiscard]] auto discarding() LARDER_REQUIRES(mutex_) {
    return [this](Ref block) {
      mutex_.assert_held();
      discard(block);
    };
  }
  // What is freed with the block.
  [[nodiscard]] std::uint64_t held_by(Ref block) const {
    const bool entry = (arena_.flags(block) & kNoEntry) == 0;
    return arena_.size(block) + (entry ? Layout{arena_.at(block)}.elsewhere() : 0);
  }
  void reclaim_if_worthwhile() LARDER_REQUIRES(mutex_) {
    const bool many = limbo_.blocks() >= (room_.memory ? kLimboBlocks : kLimboUnweighed);
    if (many || limbo_.bytes() > arena_.size() / kLimboShare) reclaim();
  }
  void reclaim() LARDER_REQUIRES(mutex_) { (void)limbo_.reclaim(discarding()); }
  void empty_limbo() LARDER_REQUIRES(mutex_) { limbo_.drain(discarding()); }

  void begin_sweep() LARDER_REQUIRES(mutex_) {
    sweep_at_ = 0;
    if (spaces_.unswept() >= kMostUnswept) {
      while (spaces_.unswept() > 0) sweep(table_.buckets());
    }
  }
  // Drops what clear() voided in about `limit` buckets.
  void sweep(std::size_t limit) LARDER_REQUIRES(mutex_) {
    if (spaces_.unswept() == 0) return;
    for (; limit > 0 && sweep_at_ < table_.buckets(); --limit) {
      table_.for_each_in(sweep_at_++, [this](Ref entry) {
        mutex_.assert_held();
        if (entries_.voided(entry)) drop(entry, entries_.hash(entry));
      });
      reclaim_if_worthwhile();
    }
    if (sweep_at_ >= table_.buckets()) spaces_.swept();
  }

  // Splits a bucket of the table, if it is time.
  void grow() LARDER_REQUIRES(mutex_);
  // The table, the ghosts and the queues' markers take from the entries' room.
  void fit() LARDER_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t budget() const LARDER_REQUIRES(mutex_) {
    const std::uint64_t taken = table_.bytes() + eviction_.ghost_bytes();
    return room_.capacity - std::min<std::uint64_t>(taken, room_.capacity);
  }
  [[nodiscard]] std::uint64_t weight_of(std::size_t size, KeyView key, ValueView value) const {
    const std::size_t value_size = Layout::value_size(value);
    if (!room_.memory) return std::max<std::uint64_t>(value_size, 1);
    return Arena::rounded(size) + Layout::elsewhere(Layout::key_size(key), value_size);
  }
  [[nodiscard]] EntryHead& head(Ref block) const { return head_of(arena_.at(block)); }
  [[nodiscard]] static EntryHead& head_of(char* block) {
    return *reinterpret_cast<EntryHead*>(block);
  }

  const ShardRoom room_;
  const KeyHash& hash_;
  // Readers look at these four; writers change them under the mutex, and keep what
  // they change often on cache lines of its own.
  Readers readers_;
  Arena arena_;
  BucketTable table_;
  SpaceCounts spaces_;
  // These are the writers' own.
  alignas(kCacheLine) mutable ShortMutex mutex_;
  Entries entries_ LARDER_GUARDED_BY(mutex_){*this};
  ExpiryWheel wheel_ LARDER_GUARDED_BY(mutex_);
  Eviction<Entries> eviction_ LARDER_GUARDED_BY(mutex_);
  Limbo limbo_ LARDER_GUARDED_BY(mutex_){arena_, readers_};
  std::uint64_t sweep_at_ LARDER_GUARDED_BY(mutex_) = 0;  // bucket
  Ref pinned_ LARDER_GUARDED_BY(mutex_) = 0;  // is about to be replaced; must stay where it is
  Listener* listener_ LARDER_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace larder::detail

#include "larder/detail/memory/shard_memory.hpp"  // IWYU pragma: export
