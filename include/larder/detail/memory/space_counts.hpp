// How many entries each cache has in a shard, and which of its entries a clear()
// has made void.
//
// Clearing changes a generation, in O(1): entries of another generation than
// their space's are dead. A generation is eight bits and comes round; the shard
// sweeps the dead out before that.
//
// Threads: generation() and any_voided() by any; the rest by who holds the shard's mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "larder/detail/memory/reservation.hpp"
#include "larder/entry.hpp"

namespace larder::detail {

struct SpaceCount {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t absences = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  std::uint64_t too_large = 0;
  std::uint64_t no_memory = 0;
};

class SpaceCounts {
 public:
  static constexpr std::size_t kSpaces = 1U << 16;

  // Throws std::bad_alloc.
  SpaceCounts() : generations_{kSpaces, Reservation::Pages::kSmall} {}

  // Whether entries may have been voided that are not swept out yet. While it is
  // false, no entry is dead. A reader without the lock asks before it takes a reference:
  // behind one, a sweep may have ended in between, whose entry that still is.
  [[nodiscard]] bool any_voided() const { return any_voided_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint8_t generation(Space space) const {
    return generation_of(space).load(std::memory_order_acquire);
  }
  // Voids a space's entries, or all.
  void clear(Space space);
  void clear();
  // How often a generation may have changed since swept() was last called.
  [[nodiscard]] unsigned unswept() const { return unswept_; }
  void swept() {
    unswept_ = 0;
    any_voided_.store(false, std::memory_order_release);
  }

  // Makes room for a space. Throws std::bad_alloc; find() does not throw after it.
  void prepare(Space space) {
    if (space >= counts_.size()) counts_.resize(space + std::size_t{1});
  }
  // REQUIRES: the space was prepared.
  [[nodiscard]] SpaceCount& of(Space space) { return counts_[space]; }
  [[nodiscard]] const std::vector<SpaceCount>& all() const { return counts_; }

 private:
  [[nodiscard]] std::atomic<std::uint8_t>& generation_of(Space space) const {
    return reinterpret_cast<std::atomic<std::uint8_t>*>(generations_.data())[space];
  }
  void begin();
  void void_entries(Space space);

  Reservation generations_;  // an atomic byte a space; untouched pages take no memory
  std::vector<SpaceCount> counts_;
  std::atomic<bool> any_voided_{false};
  unsigned unswept_ = 0;
};

}  // namespace larder::detail
