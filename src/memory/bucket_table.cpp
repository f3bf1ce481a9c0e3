#include "larder/detail/memory/bucket_table.hpp"

#include <algorithm>
#include <new>

namespace larder::detail {

// A bucket's number is the bits of a hash from `shift_` (6 to 14) on; there are so few buckets
// that it ends below the tag's bits.
BucketRange::BucketRange(unsigned tables, std::size_t most)
    : shift_{static_cast<unsigned>(std::countr_zero(tables * kBucketBytes))},
      range_{(most / kFill + 1) << shift_} {}

// Zeroed memory is a table of empty buckets.
BucketTable::BucketTable(Arena& arena, BucketRange& range, unsigned place)
    : arena_{arena},
      range_{range},
      first_{range.data() + place * kBucketBytes},
      shift_{range.shift()},
      most_{range.most()},
      end_{std::uint64_t{1} << shift_},
      wide_{std::uint64_t{1} << shift_} {}

void BucketTable::Bucket::set_tag(unsigned slot, std::uint8_t tag) {
  if (slot < 8) {
    const std::uint64_t others =
        tags.load(std::memory_order_relaxed) & ~(std::uint64_t{0xFF} << 8 * slot);
    tags.store(others | std::uint64_t{tag} << 8 * slot, std::memory_order_release);
    return;
  }
  const unsigned shift = 8 * (slot - 8);
  const std::uint32_t others = more_tags.load(std::memory_order_relaxed) & ~(0xFFU << shift);
  more_tags.store(others | std::uint32_t{tag} << shift, std::memory_order_release);
}

void BucketTable::Bucket::set(unsigned slot, std::uint8_t tag, Ref ref) {
  refs[slot].store(ref, std::memory_order_release);
  set_tag(slot, tag);
}

void BucketTable::Bucket::clear(unsigned slot) {
  set_tag(slot, 0);
  refs[slot].store(0, std::memory_order_release);
}

bool BucketTable::insert(std::uint64_t hash, Ref entry) {
  if (!insert_in(home_of(hash), hash, entry)) return false;
  ++entries_;
  return true;
}

bool BucketTable::put(Bucket& bucket, std::uint64_t hash, Ref entry) {
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    if (bucket.refs[slot].load(std::memory_order_relaxed) != 0) continue;
    bucket.set(slot, tag(hash), entry);
    return true;
  }
  return false;
}

bool BucketTable::insert_in(Bucket& first, std::uint64_t hash, Ref entry) {
  Bucket* bucket = &first;
  for (;;) {
    if (put(*bucket, hash, entry)) return true;
    Bucket* const next = after(*bucket);
    if (next == nullptr) break;
    bucket = next;
  }
  const Ref fresh = make_overflow(
      static_cast<std::uint32_t>((reinterpret_cast<char*>(&first) - first_) >> shift_));
  if (fresh == 0) return false;
  put(overflow(fresh), hash, entry);
  bucket->next.store(fresh, std::memory_order_release);
  return true;
}

Ref BucketTable::make_overflow(std::uint32_t home) {
  const Ref fresh = arena_.allocate(kOverflowBytes);
  if (fresh == 0) return 0;
  ++overflows_;
  arena_.set_flags(fresh, kOverflow);
  this->home(fresh) = home;
  new (arena_.at(fresh) + kOverflowOffset) Bucket;
  return fresh;
}

bool BucketTable::move(Ref bucket) {
  const Ref fresh = make_overflow(home(bucket));
  if (fresh == 0) return false;
  const Bucket& from = overflow(bucket);
  Bucket& to = overflow(fresh);
  to.tags.store(from.tags.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to.more_tags.store(from.more_tags.load(std::memory_order_relaxed), std::memory_order_relaxed);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    to.refs[slot].store(from.refs[slot].load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  to.next.store(from.next.load(std::memory_order_relaxed), std::memory_order_relaxed);
  Bucket* before = &at(home(bucket));
  while (before->next.load(std::memory_order_relaxed) != bucket) before = after(*before);
  before->next.store(fresh, std::memory_order_release);
  --overflows_;  // that one is the caller's
  return true;
}

void BucketTable::replace(std::uint64_t hash, Ref entry, Ref fresh) {
  for (Bucket* bucket = &home_of(hash); bucket != nullptr; bucket = after(*bucket)) {
    for (auto& ref : bucket->refs) {
      if (ref.load(std::memory_order_relaxed) != entry) continue;
      ref.store(fresh, std::memory_order_release);
      return;
    }
  }
}

// Overflow buckets stay, empty or not, until a split: a reader may stand in one.
void BucketTable::erase(std::uint64_t hash, Ref entry) {
  for (Bucket* bucket = &home_of(hash); bucket != nullptr; bucket = after(*bucket)) {
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      if (bucket->refs[slot].load(std::memory_order_relaxed) != entry) continue;
      bucket->clear(slot);
      --entries_;
      return;
    }
  }
}

void BucketTable::drop(Bucket& bucket) {
  for (Ref next = bucket.next.load(std::memory_order_relaxed); next != 0;) {
    const Ref behind = overflow(next).next.load(std::memory_order_relaxed);
    arena_.release(next);
    --overflows_;
    next = behind;
  }
  new (&bucket) Bucket;
}

bool BucketTable::crowded() const {
  return entries_ > buckets() * BucketRange::kFill && buckets() < most_;
}

std::uint64_t BucketTable::reversed(std::uint64_t bits) {
  std::uint64_t result = 0;
  for (unsigned i = 0; i < 64; ++i) result |= (bits >> i & 1) << (63 - i);
  return result;
}

}  // namespace larder::detail
