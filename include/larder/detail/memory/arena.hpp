// The memory of one shard's entries: an allocator within a fixed range.
//
// A cache knows better than malloc: it can evict until something fits, so its
// memory may be a fixed range, which bounds what is resident; and a block of
// such a range is named by 32 bits instead of 64. Blocks are multiples of eight
// bytes with four bytes of header. Free neighbours merge at once; free blocks
// lie in lists by size, sixteen to each power of two, so that both operations
// are O(1) and a block is at most a sixteenth larger than asked for.
//
// Where the limit falls below what is in use, what lies behind it can be found by
// place, moved (clear_run.hpp) and its memory given back.
//
// Threads: none; the shard's mutex guards it.
//
// Source: M. Masmano et al., "TLSF: a New Dynamic Memory Allocator for
// Real-Time Systems", ECRTS 2004.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/reservation.hpp"

namespace larder::detail {

// A block of an arena; 0 is none.
using Ref = std::uint32_t;

class Arena {
 public:
  // Flags that the block's owner may use for itself, in the header's low bits.
  static constexpr std::uint32_t kOwnerFlags = 0b111;

  // Throws std::bad_alloc if there are no such addresses.
  explicit Arena(std::size_t bytes);

  // The start of a block is so many times its Ref.
  static constexpr std::size_t kGranule = 8;

  // A block of at least `bytes`, whose first four are the header and whose
  // owner flags are clear; 0 if nothing fits.
  [[nodiscard]] Ref allocate(std::size_t bytes);
  void release(Ref block);
  // What allocate(bytes) takes.
  [[nodiscard]] static std::size_t rounded(std::size_t bytes) {
    return std::max((bytes + kGranule - 1) / kGranule, kLeast) * kGranule;
  }

  // How far blocks may reach; at most what was reserved. Those that reach further stay, and
  // no others come behind them.
  void limit(std::size_t bytes);
  [[nodiscard]] std::size_t limit() const { return limit_ * kGranule; }
  // How far they do reach.
  [[nodiscard]] std::size_t reach() const { return top_ * kGranule; }
  // Memory that the system has given it.
  [[nodiscard]] std::size_t resident() const { return touched_ * kGranule; }
  [[nodiscard]] bool overhangs() const { return touched_ > limit_; }

  [[nodiscard]] char* at(Ref block) const { return range_.data() + std::size_t{block} * kGranule; }
  [[nodiscard]] std::size_t size(Ref block) const { return granules(block) * kGranule; }
  [[nodiscard]] std::size_t size() const { return range_.size(); }

  [[nodiscard]] std::uint32_t flags(Ref block) const { return header(block) & kOwnerFlags; }
  void set_flags(Ref block, std::uint32_t flags) {
    header(block) = (header(block) & ~kOwnerFlags) | flags;
  }

  // Whether allocate(bytes) would find a block.
  [[nodiscard]] bool fits(std::size_t bytes) const;
  // What is free below the limit, in however many pieces.
  [[nodiscard]] std::size_t free_bytes() const {
    return (std::max(limit_, top_) - top_ + free_) * kGranule;
  }
  // One of the widest free blocks that others lie behind; 0 if there is none.
  [[nodiscard]] Ref widest_free() const;
  // Over all blocks, free ones and others, as they lie: the one behind, 0 at the end.
  [[nodiscard]] Ref next(Ref block) const {
    const std::size_t behind = block + granules(block);
    return behind < top_ ? static_cast<Ref>(behind) : 0;
  }
  // The block, free or not, that lies so many bytes from the start. REQUIRES: bytes < reach().
  [[nodiscard]] Ref block_at(std::size_t bytes) const;
  [[nodiscard]] bool is_free(Ref block) const { return (header(block) & kFree) != 0; }
  // Allocates this free block, whole. REQUIRES: is_free(block).
  void take(Ref block);

  // Has the processor fetch what allocate() is likely to answer.
  void fetch(std::size_t bytes) const;

  // Gives the memory beyond the last block back to the system, if it is much, or beyond the limit.
  void trim();

 private:
  static constexpr std::size_t kLeast = 2;  // granules: a free block's header, links and footer
  static constexpr std::uint32_t kFree = 1U << 3;
  static constexpr std::uint32_t kFreeBefore = 1U << 4;  // the block in front is free
  static constexpr unsigned kSizeShift = 5;
  static constexpr std::size_t kMost = (std::size_t{1} << (32 - kSizeShift)) - 1;
  static constexpr unsigned kSteps = 16;  // lists to each power of two
  static constexpr unsigned kPowers = 24;
  static constexpr std::size_t kStretch = (std::size_t{64} << 10) / kGranule;  // of blocks

  // A free block: header, links in its list, and its size again in its last four bytes.
  struct FreeBlock {
    std::uint32_t header;
    Ref before;
    Ref after;
  };

  [[nodiscard]] std::uint32_t& header(Ref block) const {
    return *reinterpret_cast<std::uint32_t*>(at(block));
  }
  [[nodiscard]] FreeBlock& free_block(Ref block) const {
    return *reinterpret_cast<FreeBlock*>(at(block));
  }
  [[nodiscard]] std::size_t granules(Ref block) const { return header(block) >> kSizeShift; }
  [[nodiscard]] std::uint32_t& footer(Ref end) const {
    return *reinterpret_cast<std::uint32_t*>(at(end) - sizeof(std::uint32_t));
  }

  void touch();
  static unsigned list_of(std::size_t granules);
  [[nodiscard]] Ref find(std::size_t granules) const;
  void push(Ref block, std::size_t granules);
  void unlink(Ref block);
  [[nodiscard]] Ref& start_in(std::size_t stretch) const {
    return reinterpret_cast<Ref*>(stretches_.data())[stretch];
  }
  void starts(Ref block);
  void starts_no_more(Ref block, Ref within, std::size_t end);

  Reservation range_;
  // What follows changes with every block; readers, who look at the range, do without it.
  alignas(kCacheLine) std::size_t limit_;  // granules
  std::size_t top_ = 1;  // granules; beyond it nothing is in use, and the block in front is
  // Granules; beyond it at most a spare piece of a page is resident: touch().
  std::size_t touched_ = 1;
  std::size_t free_ = 0;      // granules in free blocks
  std::uint32_t powers_ = 0;  // which powers have a list that is not empty
  std::array<std::uint16_t, kPowers> steps_{};
  std::array<Ref, std::size_t{kPowers} * kSteps> lists_{};
  Reservation stretches_;  // a Ref each: a block that starts in it, or 0
};

}  // namespace larder::detail
