// Makes one large free block of many small ones, by moving what lies between them; or
// clears the arena's end.
//
// After traffic of small entries an arena may have plenty of memory free and no
// piece of it large enough for a large one. Evicting until neighbours happen to be
// free together would cost most of what is there; moving costs a copy of at most
// what is wanted. The end is cleared where its memory is to go back to the system.
//
// Threads: none; the shard's mutex guards it.
#pragma once

#include <cstddef>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/block_kind.hpp"

namespace larder::detail {

// Frees what lies within `bytes` from the block `first` on; false if something cannot be
// moved. Near the end of what is in use it is less. The rest as clear_run().
template <class MoveAway, class LetGo>
bool clear_from(Arena& arena, Ref first, std::size_t bytes, MoveAway&& move_away, LetGo&& let_go) {
  // What is free here must not be taken for what moves; linked by its first word.
  const auto link = [&arena](Ref block) -> Ref& {
    return *reinterpret_cast<Ref*>(arena.at(block) + sizeof(Ref));
  };
  const auto for_each = [&](auto&& visit) {
    std::size_t length = 0;
    for (Ref block = first; block != 0 && length < bytes;) {
      const Ref next = arena.next(block);
      length += arena.size(block);
      if (!visit(block)) return false;
      block = next;
    }
    return true;
  };
  Ref taken = 0;
  for_each([&](Ref block) {
    if (!arena.is_free(block)) return true;
    arena.take(block);
    arena.set_flags(block, kTaken);
    link(block) = taken;
    taken = block;
    return true;
  });
  const bool moved =
      for_each([&](Ref block) { return arena.flags(block) == kTaken || move_away(block); });
  let_go();
  while (taken != 0) {
    const Ref block = taken;
    taken = link(block);
    arena.release(block);
  }
  return moved;
}

// Makes a block of `bytes` free, which arena.allocate() then finds; false if it cannot,
// for want of room or because something must stay where it is. `move_away(block)`
// copies what the block holds elsewhere and lets the block go, or answers false and
// leaves it; `let_go()` returns when all blocks that were let go are free.
template <class MoveAway, class LetGo>
bool clear_run(Arena& arena, std::size_t bytes, MoveAway&& move_away, LetGo&& let_go) {
  // Each one near the end brings the end nearer, so that what is free behind it grows.
  constexpr int kMostTries = 4;
  for (int i = 0; i < kMostTries && !arena.fits(bytes); ++i) {
    const Ref widest = arena.widest_free();
    if (widest == 0 || !clear_from(arena, widest, bytes, move_away, let_go)) return false;
  }
  return arena.fits(bytes);
}

// Frees what reaches beyond `bytes` from the arena's start; false if something cannot be moved.
// The rest as clear_run(). REQUIRES: the arena's limit is not above what is in use, so that
// nothing moves to its end.
template <class MoveAway, class LetGo>
bool clear_end(Arena& arena, std::size_t bytes, MoveAway&& move_away, LetGo&& let_go) {
  if (bytes >= arena.reach()) return true;
  return clear_from(arena, arena.block_at(bytes), arena.reach(), move_away, let_go);
}

}  // namespace larder::detail
