// How a shard finds memory for a block: by evicting, or by moving what lies between
// pieces that are free.
//
// Included by shard.hpp alone, whose class this is a part of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/block_kind.hpp"
#include "larder/detail/memory/clear_run.hpp"

namespace larder::detail {

template <class Key, class Value>
Ref Shard<Key, Value>::allocate(std::size_t size) {
  std::size_t enough = size + size / 2;
  for (;;) {
    if (const Ref block = arena_.allocate(size); block != 0) return block;
    const std::size_t free = arena_.free_bytes();
    if (!limbo_.empty()) {
      empty_limbo();
    } else if (free >= enough) {
      enough = free + size;  // not again before more is free
      make_run(std::max(size, std::min(std::max(kLeastRun, 4 * size), free / 4)));
    } else if (!evict()) {
      return 0;
    }
  }
}

template <class Key, class Value>
bool Shard<Key, Value>::evict() {
  const Ref entry = eviction_.victim();
  if (entry == 0) return false;
  wheel_.remove(entry);
  if (!head(entry).usable(entries_.now)) {
    count_expiration(entry);
  } else if (!entries_.voided(entry)) {
    ++count_of(entry).evictions;
  }
  uncount(entry);
  leave_table(entry, entries_.hash(entry));
  tell_of(entry);
  look_ahead(entry);
  fit();
  return true;
}

template <class Key, class Value>
void Shard<Key, Value>::look_ahead(Ref evicted) {
  const Ref next = eviction_.next_victim(evicted);
  if (next == 0) return;
  const std::uint64_t hash = entries_.hash(next);
  table_.fetch(hash);
  eviction_.fetch(hash);
  wheel_.fetch(next);
}

template <class Key, class Value>
void Shard<Key, Value>::make_run(std::size_t bytes) {
  clear_run(
      arena_, bytes,
      [this](Ref block) {
        mutex_.assert_held();
        return move_away(block);
      },
      [this] {
        mutex_.assert_held();
        empty_limbo();
      });
}

template <class Key, class Value>
bool Shard<Key, Value>::move_away(Ref block) {
  bool moved = false;
  if (arena_.flags(block) == kOverflow) {
    moved = table_.move(block);
  } else if (arena_.flags(block) == kMarker) {
    moved = eviction_.move_marker(block);
  } else if (block != pinned_) {
    return move_entry(block);
  }
  if (moved) retire(block);
  return moved;
}

template <class Key, class Value>
bool Shard<Key, Value>::move_entry(Ref old) {
  const Layout entry{arena_.at(old)};
  const std::uint64_t hash = hash_(entry.key());
  if (entries_.dead(old)) {
    if (!head(old).usable(entries_.now)) count_expiration(old);
    drop(old, hash);
    tell_of(old);
    return true;
  }
  const EntryInfo info = entry.info();
  Ref fresh = arena_.allocate(Layout::block_size(entry.key(), entry.value(), info));
  if (fresh != 0) {
    fresh = construct(fresh, entry.key(), entry.value(), info, head(old).generation);
  }
  if (fresh == 0) return false;
  head(fresh).set_used(head(old).used());
  eviction_.replace(old, fresh);
  wheel_.replace(old, fresh);
  count_of(fresh).bytes += entries_.weight(fresh) - entries_.weight(old);
  table_.replace(hash, old, fresh);
  retire(old);
  return true;
}

}  // namespace larder::detail
