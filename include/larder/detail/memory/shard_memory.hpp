// How a shard finds memory for a block, by evicting, or by moving what lies between
// pieces that are free; how its table grows, and how memory goes back to the system for it.
//
// Included by shard.hpp alone, whose class this is a part of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "larder/detail/memory/block_kind.hpp"
#include "larder/detail/memory/clear_run.hpp"

namespace larder::detail {

// What readers may still see is waited for only when it makes up for what is missing: each wait
// is a barrier for all the threads of the process.
template <class Key, class Value>
Ref Shard<Key, Value>::allocate(std::size_t size) {
  std::size_t wanted = size;
  const std::size_t more = std::max(size / 4, std::min(size, kLeastRun));
  for (bool last = false;;) {
    if (const Ref block = arena_.allocate(size); block != 0) return block;
    const std::size_t free = arena_.free_bytes();
    bool all = false;  // that could be free is
    if (free + limbo_.all_bytes() < wanted) {
      if (evict()) continue;
      all = true;
    }
    if (!limbo_.empty()) {
      empty_limbo();
      continue;
    }
    if (all && std::exchange(last, true)) return 0;
    // It is scattered; what the table holds may lie between, too.
    wanted = free + more;  // not again before
    make_run(all ? size : std::max(size, std::min(std::max(kLeastRun, 4 * size), free / 4)));
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
std::uint64_t Shard<Key, Value>::barriers() const {
  const ShortLock lock{mutex_};
  return readers_.barriers();
}

template <class Key, class Value>
bool Shard<Key, Value>::enter_table(Ref entry, std::uint64_t hash) {
  while (!table_.insert(hash, entry)) {
    if (!limbo_.empty()) {
      empty_limbo();
    } else if (!evict()) {
      return false;
    }
  }
  return true;
}

// A part stays free, or entries would go for want of a piece that is large enough, and each
// would be waited for.
template <class Key, class Value>
void Shard<Key, Value>::fit() {
  if (!room_.memory) return;
  const std::uint64_t all = budget();
  const std::uint64_t others = table_.overflow_bytes() + eviction_.marker_bytes();
  const std::uint64_t rest = all - std::min(others, all);
  arena_.limit(all);
  eviction_.set_capacity(rest - rest / kSlack);
}

template <class Key, class Value>
void Shard<Key, Value>::grow() {
  if (!table_.crowded()) return;
  table_.split([this](Ref entry) { return hash_(Layout{arena_.at(entry)}.key()); },
               [this](Ref overflow) {
                 mutex_.assert_held();
                 retire(overflow);
               });
  fit();
}

template <class Key, class Value>
void Shard<Key, Value>::make_run(std::size_t bytes) {
  // What is large, and would reach beyond the limit, could not be moved from there again.
  if (arena_.overhangs()) clear_overhang();
  const auto move = [this](Ref block) {
    mutex_.assert_held();
    return move_away(block);
  };
  const auto let_go = [this] {
    mutex_.assert_held();
    empty_limbo();
  };
  if (clear_run(arena_, bytes, move, let_go) || pinned_ == 0) return;
  // It may be the pinned one that is in the way: beside it, then, where more is.
  const std::size_t start = std::size_t{pinned_} * Arena::kGranule;
  const std::size_t end = start + arena_.size(pinned_);
  const bool in_front = start > bytes && start > arena_.reach() - end;
  const Ref first = in_front ? arena_.block_at(start - bytes) : arena_.next(pinned_);
  if (first != 0) (void)clear_from(arena_, first, bytes, move, let_go);
}

// A little further than must be, so that the next bucket does not ask for it again; and not
// too much at a time, for who waits for the lock.
template <class Key, class Value>
void Shard<Key, Value>::clear_overhang() {
  if (const std::size_t reach = arena_.reach(); reach > arena_.limit()) {
    const std::size_t spare = std::min(kDrawnBack / 2, arena_.size() / kLimboShare);
    const std::size_t wanted = arena_.limit() - std::min(spare, arena_.limit());
    const std::size_t at_once = reach - std::min(kDrawnBack, reach);
    empty_limbo();
    const bool cleared = clear_end(
        arena_, std::max(wanted, at_once),
        [this](Ref block) {
          mutex_.assert_held();
          return move_away(block) || evict_instead(block);
        },
        [this] {
          mutex_.assert_held();
          empty_limbo();
        });
    if (!cleared) (void)evict();  // so that there is room at the next time
  }
  arena_.trim();
}

template <class Key, class Value>
void Shard<Key, Value>::draw_back() {
  pinned_ = 0;
  clear_overhang();
}

template <class Key, class Value>
bool Shard<Key, Value>::evict_instead(Ref block) {
  if ((arena_.flags(block) & kNoEntry) != 0 || block == pinned_) return false;
  ++count_of(block).evictions;
  drop(block, entries_.hash(block));
  tell_of(block);
  return true;
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
