// From hash to entry: a table that readers walk without a lock and that grows
// one bucket at a time.
//
// A bucket is one cache line: twelve one-byte tags, twelve references, and a
// reference to an overflow bucket in the arena. Growth is linear hashing: each
// time that seven more entries are in, the next bucket in turn is split, so that
// no insertion ever waits for a rehash of everything, and the table takes nine
// bytes an entry at any size. Between two doublings some buckets hold twice what
// others do; seven on average keep most of those without overflow.
//
// Threads: find() by any thread within a reader section (readers.hpp); the rest
// by who holds the mutex of the shard. Every word that a reader looks at is
// atomic. What moves is first copied, then told by a new shape, if buckets are
// added, and by counting `moves`, then cleared where it was. A reader looks at the
// moves first and then at the shape; so if it found nothing and the moves are the
// same as before, it has missed nothing.
//
// Source: W. Litwin, "Linear hashing", VLDB 1980.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/block_kind.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/reservation.hpp"
#include "larder/detail/memory/tag_matches.hpp"

namespace larder::detail {

inline constexpr std::size_t kBucketBytes = kCacheLine;

// The addresses of several tables' buckets, in turn: the first of each table, then the
// second of each. Tables of one tier grow alike, so that together they fill huge pages
// that none of them would fill alone.
//
// Threads: what is read is immutable once made.
class BucketRange {
 public:
  static constexpr std::size_t kFill = 7;  // entries to a bucket, on average

  // Room for `most` entries in each of `tables`, a power of two. Throws std::bad_alloc.
  BucketRange(unsigned tables, std::size_t most);

  [[nodiscard]] char* data() const { return range_.data(); }
  // Log2 of the bytes from one of a table's buckets to its next.
  [[nodiscard]] unsigned shift() const { return shift_; }
  // Buckets to a table.
  [[nodiscard]] std::size_t most() const { return range_.size() >> shift_; }
  // Tells that so many bytes of it are in use, about: makes a huge page of what has come to
  // fill one. Any thread may.
  void fill(std::size_t bytes) {
    if (bytes % Reservation::kHugePage != 0) return;
    range_.merge_pages(bytes - Reservation::kHugePage, bytes);
  }

 private:
  unsigned shift_;
  Reservation range_;
};

class BucketTable {
 public:
  // The table number `place`, from 0, of those in `range`; `arena` takes the overflow
  // buckets. Both must outlive the table.
  BucketTable(Arena& arena, BucketRange& range, unsigned place);

  // The entry with this hash for which matches(ref) holds; 0 if there is none.
  template <class Matches>
  [[nodiscard]] Ref find(std::uint64_t hash, Matches&& matches) const {
    for (;;) {
      const std::uint64_t moves = moves_.load(std::memory_order_acquire);
      for (const Bucket* bucket = &home_of(hash);;) {
        if (const Ref ref = find_in(*bucket, hash, matches); ref != 0) return ref;
        const Ref next = bucket->next.load(std::memory_order_acquire);
        if (next == 0) break;
        bucket = &overflow(next);
      }
      if (moves_.load(std::memory_order_acquire) == moves) return 0;
    }
  }

  // An entry that may have this hash: the first that find() would look at, or 0. The
  // hot path's part of find(), and a hint for those who hold nothing.
  [[nodiscard, gnu::always_inline]] inline Ref candidate(std::uint64_t hash) const {
    const Bucket& bucket = home_of(hash);
    const TagMatches tagged = bucket.matching(tag(hash));
    return tagged.any() ? bucket.refs[tagged.slot()].load(std::memory_order_acquire) : 0;
  }

  // Has the processor fetch what the others will look at.
  void fetch(std::uint64_t hash) const { fetch_to_write(&home_of(hash)); }

  // REQUIRES: no entry of that key is in. False: no memory for an overflow bucket.
  [[nodiscard]] bool insert(std::uint64_t hash, Ref entry);
  // Puts `fresh` where `entry` is. REQUIRES: it is there; they have the same key.
  void replace(std::uint64_t hash, Ref entry, Ref fresh);
  void erase(std::uint64_t hash, Ref entry);
  // Puts a copy of an overflow bucket in its place, which readers may still stand in;
  // false: no memory for it. REQUIRES: `bucket` is a block of the kind kOverflow.
  [[nodiscard]] bool move(Ref bucket);

  // Whether there are enough entries for a split.
  [[nodiscard]] bool crowded() const;
  // Splits one bucket. hash_of(ref) gives an entry's hash; retire(ref) gets
  // overflow buckets that readers may still stand in. Without memory it does nothing.
  template <class HashOf, class Retire>
  void split(HashOf&& hash_of, Retire&& retire) {
    const std::uint64_t count = buckets();
    const std::uint64_t half = std::bit_floor(count);
    Bucket& old = at(count - half);
    Bucket& fresh = at(count);
    const auto moves = [&](Ref ref) { return (hash_of(ref) >> shift_ & (2 * half - 1)) == count; };

    bool copied = true;
    for_each_in(old, [&](Ref ref) {
      if (copied && moves(ref)) copied = insert_in(fresh, hash_of(ref), ref);
    });
    if (!copied) return drop(fresh);
    tell(count + 1);
    if (first_ == range_.data()) range_.fill((count + 1) << shift_);  // one for all
    for (Bucket* bucket = &old; bucket != nullptr; bucket = after(*bucket)) {
      for (unsigned slot = 0; slot < kSlots; ++slot) {
        const Ref ref = bucket->refs[slot].load(std::memory_order_relaxed);
        if (ref != 0 && moves(ref)) bucket->clear(slot);
      }
    }

    // What is left moves to the front, and empty overflow buckets go.
    while (Bucket* const last = after(old)) {
      if (!pull_up(old, *last, hash_of)) return;
      const Ref emptied = old.next.load(std::memory_order_relaxed);
      old.next.store(last->next.load(std::memory_order_relaxed), std::memory_order_release);
      --overflows_;
      retire(emptied);
    }
  }

  // Visits the bucket at `cursor`, visitor(ref), and returns the next cursor; 0:
  // that was the last. The cursor counts in reversed bits, so that buckets which
  // split between two steps are neither skipped nor, but for the one halfway,
  // seen twice; see Redis's dictScan.
  template <class Visitor>
  std::uint64_t scan(std::uint64_t cursor, Visitor&& visitor) const {
    const std::uint64_t half = std::bit_floor(buckets());
    const std::uint64_t low = cursor & (half - 1);
    for_each_in(at(low), visitor);
    if (low + half < buckets()) for_each_in(at(low + half), visitor);
    cursor |= ~(half - 1);
    return reversed(reversed(cursor) + 1);
  }

  // How many buckets there are, and one of them: for who does not mind changes in between.
  [[nodiscard]] std::uint64_t buckets() const {
    return end_.load(std::memory_order_relaxed) >> shift_;
  }
  template <class Visitor>
  void for_each_in(std::uint64_t bucket, Visitor&& visitor) const {
    for_each_in(at(bucket), visitor);
  }

  // Memory that the buckets take; and what overflow buckets take of the arena.
  [[nodiscard]] std::size_t bytes() const { return buckets() * kBucketBytes; }
  [[nodiscard]] std::size_t overflow_bytes() const { return overflows_ * kOverflowBytes; }

 private:
  static constexpr unsigned kSlots = 12;

  struct Bucket {
    std::atomic<std::uint64_t> tags{0};       // of slots 0 to 7; a free slot's is 0
    std::atomic<std::uint32_t> more_tags{0};  // of slots 8 to 11
    std::array<std::atomic<Ref>, kSlots> refs{};
    std::atomic<Ref> next{0};

    // The slots that may have this tag, a bit each. There may be false ones, beside
    // a true one and where a slot is free: the reference tells.
    [[nodiscard]] TagMatches matching(std::uint8_t tag) const {
#ifdef __SSE2__
      return TagMatches{matches_in(load_tags(this), tag)};
#else
      return TagMatches{matches_by_words(tags.load(std::memory_order_acquire),
                                         more_tags.load(std::memory_order_acquire), tag)};
#endif
    }
    void set(unsigned slot, std::uint8_t tag, Ref ref);
    void clear(unsigned slot);
    void set_tag(unsigned slot, std::uint8_t tag);
  };
  static_assert(sizeof(Bucket) == kBucketBytes);

  static std::uint8_t tag(std::uint64_t hash) { return static_cast<std::uint8_t>(hash >> 48); }
  static std::uint64_t reversed(std::uint64_t bits);

  [[nodiscard]] Bucket& at(std::uint64_t index) const {
    return *reinterpret_cast<Bucket*>(first_ + (index << shift_));
  }
  // The bucket that a hash belongs in, the first of it.
  [[nodiscard, gnu::always_inline]] inline Bucket& home_of(std::uint64_t hash) const {
    const std::uint64_t end = end_.load(std::memory_order_acquire);
    const std::uint64_t wide = hash & wide_.load(std::memory_order_acquire);
    const std::uint64_t narrow = hash & narrow_.load(std::memory_order_acquire);
    return *reinterpret_cast<Bucket*>(first_ + (wide < end ? wide : narrow));
  }
  [[nodiscard]] Bucket& overflow(Ref ref) const {
    return *reinterpret_cast<Bucket*>(arena_.at(ref) + kOverflowOffset);
  }
  // Which bucket it overflows from; lies between the block's header and itself.
  [[nodiscard]] std::uint32_t& home(Ref ref) const {
    return *reinterpret_cast<std::uint32_t*>(arena_.at(ref) + sizeof(Ref));
  }
  static constexpr std::size_t kOverflowOffset = 8;
  static constexpr std::size_t kOverflowBytes = kOverflowOffset + sizeof(Bucket);

  // The bucket behind; null if there is none.
  [[nodiscard]] Bucket* after(const Bucket& bucket) const {
    const Ref next = bucket.next.load(std::memory_order_relaxed);
    return next != 0 ? &overflow(next) : nullptr;
  }

  template <class Matches>
  [[nodiscard, gnu::always_inline]] static Ref find_in(const Bucket& bucket, std::uint64_t hash,
                                                       Matches&& matches) {
    for (auto tagged = bucket.matching(tag(hash)); tagged.any(); tagged.next()) {
      const Ref ref = bucket.refs[tagged.slot()].load(std::memory_order_acquire);
      if (ref != 0 && matches(ref)) return ref;
    }
    return 0;
  }

  template <class Visitor>
  void for_each_in(const Bucket& first, Visitor&& visitor) const {
    for (const Bucket* bucket = &first; bucket != nullptr; bucket = after(*bucket)) {
      for (const auto& slot : bucket->refs) {
        if (const Ref ref = slot.load(std::memory_order_relaxed); ref != 0) visitor(ref);
      }
    }
  }

  // Moves all that is in `from` to free slots of `to`; false if they do not suffice.
  template <class HashOf>
  bool pull_up(Bucket& to, Bucket& from, HashOf&& hash_of) {
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      const Ref ref = from.refs[slot].load(std::memory_order_relaxed);
      if (ref == 0) continue;
      if (!put(to, hash_of(ref), ref)) return false;
      tell(buckets());
      from.clear(slot);
    }
    return true;
  }

  // Tells readers that something has moved, and how many buckets there are. Who reads `end`,
  // `wide` and `narrow` in this order sees each at least as new as the one before. A newer
  // `narrow` may name the bucket that is just being added: that one was filled before, so what
  // belongs there is found. What has left a bucket since is told by `moves`.
  void tell(std::uint64_t count) {
    const std::uint64_t half = std::bit_floor(count);
    narrow_.store((half - 1) << shift_, std::memory_order_release);
    wide_.store((2 * half - 1) << shift_, std::memory_order_release);
    end_.store(count << shift_, std::memory_order_release);
    moves_.store(moves_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  // An empty overflow bucket; 0 without memory.
  [[nodiscard]] Ref make_overflow(std::uint32_t home);
  // Into a free slot of this very bucket; false if there is none.
  static bool put(Bucket& bucket, std::uint64_t hash, Ref entry);
  [[nodiscard]] bool insert_in(Bucket& first, std::uint64_t hash, Ref entry);
  // Empties a bucket that no reader has seen.
  void drop(Bucket& bucket);

  Arena& arena_;
  BucketRange& range_;
  char* first_;  // bucket
  unsigned shift_;
  std::size_t most_;  // buckets
  // In bytes from the first: where the buckets in use end, and the bits of a hash that say
  // where its bucket begins, or, if that would be behind the end, those that say where the
  // one begins that is yet to be split.
  std::atomic<std::uint64_t> end_;
  std::atomic<std::uint64_t> wide_;
  std::atomic<std::uint64_t> narrow_{0};
  std::atomic<std::uint64_t> moves_{0};
  // These change often; readers do without them.
  alignas(kCacheLine) std::size_t entries_ = 0;
  std::size_t overflows_ = 0;  // buckets
};

}  // namespace larder::detail
