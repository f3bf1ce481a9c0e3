// Finds what has expired without looking at what has not: a hierarchical timing
// wheel.
//
// Time is cut into ticks of a millisecond. Level 0 has a slot for each of the
// 64 ticks around now, level 1 one for each 64 ticks, and so on. An entry lies
// in the level at which its tick first differs from the wheel's, and moves down
// a level when the wheel reaches its slot; so adding and removing are O(1), and
// an entry moves at most once a level in its life.
//
// Threads: none; the shard's mutex guards it.
//
// Source: G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987,
// with the level chosen by the highest differing bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/entry_block.hpp"

namespace larder::detail {

class ExpiryWheel {
 public:
  // `arena` holds the entries and must outlive the wheel.
  explicit ExpiryWheel(const Arena& arena) : arena_{arena} {}

  // Puts an entry under its usable_until; one that never expires is left out.
  void add(Ref entry);
  // Takes it out; nothing happens if it is not in the wheel.
  void remove(Ref entry);
  // Has the processor fetch what remove() will look at.
  void fetch(Ref entry) const {
    const EntryHead& node = head(entry);
    fetch_to_write(arena_.at(node.wheel_next));
    if ((node.wheel_before & kFirst) == 0) fetch_to_write(arena_.at(node.wheel_before));
  }
  // Has it fetch what add() of an entry with that usable_until will look at.
  void fetch(TimePoint usable_until) const;
  // Puts `fresh`, which expires when `entry` does, where that is; if it is anywhere.
  void replace(Ref entry, Ref fresh);

  // Takes out one entry that is due at `now`, or 0 when none is or `steps`
  // entries were looked at; counts `steps` down by those. Time never moves back:
  // an earlier `now` than before finds nothing.
  [[nodiscard]] Ref pop_due(TimePoint now, std::size_t& steps);

 private:
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 7;  // 2^42 ms, all that a usable_until has
  // In wheel_before, marks the number of the slot that the entry is first in.
  static constexpr Ref kFirst = 1U << 31;

  [[nodiscard]] EntryHead& head(Ref entry) const {
    return *reinterpret_cast<EntryHead*>(arena_.at(entry));
  }
  void place(Ref entry);
  // In slots_. REQUIRES: the tick is not before tick_.
  [[nodiscard]] std::size_t slot_of(std::uint64_t tick) const;
  bool cascade(unsigned level, std::size_t& steps);
  [[nodiscard]] std::uint64_t next_tick(std::uint64_t last) const;

  const Arena& arena_;
  std::uint64_t tick_ = 0;  // nothing in the wheel is due before it
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<Ref, std::size_t{kLevels} * kSlots> slots_{};
};

}  // namespace larder::detail
