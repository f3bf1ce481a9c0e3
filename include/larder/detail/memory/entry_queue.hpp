// Entries in order of arrival, with the time of arrival of the oldest.
//
// Entries carry no time themselves: now and then a marker stands between them
// that says when those behind it came. Markers are blocks of the arena.
//
// Threads: none; the shard's mutex guards it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/block_kind.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/entry_block.hpp"

namespace larder::detail {

class EntryQueue {
 public:
  // `arena` holds entries and markers and must outlive the queue.
  explicit EntryQueue(Arena& arena) : arena_{arena} {}

  // A marker is set when the time has changed and `spacing` came since the last.
  void push(Ref entry, std::uint64_t weight, std::uint32_t now, std::uint64_t spacing);
  // The entry that oldest() has just answered.
  void pop(Ref entry, std::uint64_t weight) {
    unlink(entry);
    --entries_;
    weight_ -= weight;
  }
  // Any entry. A marker that tells of nothing any more is answered, and is the caller's to
  // retire; mostly 0. So there are no more markers than entries, and one.
  [[nodiscard]] Ref remove(Ref entry, std::uint64_t weight) {
    const Ref older = head(entry).older;
    const Ref newer = head(entry).newer;
    pop(entry, weight);
    if (!is_marker(older) || !is_marker(newer)) return 0;
    unlink(older);
    --markers_;
    return older;
  }
  // Puts `fresh` where `entry` is.
  void replace(Ref entry, std::uint64_t weight, Ref fresh, std::uint64_t fresh_weight);
  // Puts a copy of a marker of this queue in its place; false: no memory for it.
  [[nodiscard]] bool move_marker(Ref marker);
  // Whether it is the first or the last.
  [[nodiscard]] bool ends_with(Ref block) const { return block == oldest_ || block == newest_; }

  // Has the processor fetch what push() and oldest() will look at first.
  void fetch_ends() const {
    fetch(oldest_);
    fetch_to_write(arena_.at(newest_));
  }

  [[nodiscard]] bool empty() const { return entries_ == 0; }
  // REQUIRES: not empty. Drops markers that have reached the end.
  [[nodiscard]] Ref oldest();
  // The same without a look at markers: 0 if there is one at the end, or nothing.
  [[nodiscard]] Ref oldest_entry() const { return is_marker(oldest_) ? 0 : oldest_; }
  // When the oldest came, or a little earlier. REQUIRES: oldest() was called since the last change.
  [[nodiscard]] std::uint32_t time() const { return time_; }
  [[nodiscard]] std::uint64_t weight() const { return weight_; }
  // What markers take of the arena.
  [[nodiscard]] std::size_t marker_bytes() const { return markers_ * kMarkerBytes; }

 private:
  // A marker has an entry's links, and its time where an entry has its wheel's.
  static constexpr std::size_t kMarkerBytes = offsetof(EntryHead, wheel_before);
  static_assert(kMarkerBytes % Arena::kGranule == 0);

  [[nodiscard]] EntryHead& head(Ref entry) const {
    return *reinterpret_cast<EntryHead*>(arena_.at(entry));
  }
  // An entry's head and key may lie in two cache lines.
  void fetch(Ref block) const {
    fetch_to_write(arena_.at(block));
    __builtin_prefetch(arena_.at(block) + EntryHead::kSize + sizeof(std::uint64_t));
  }
  void link(Ref entry) {
    EntryHead& node = head(entry);
    node.newer = 0;
    node.older = newest_;
    (newest_ != 0 ? head(newest_).newer : oldest_) = entry;
    newest_ = entry;
  }
  void unlink(Ref entry) {
    const EntryHead& node = head(entry);
    (node.older != 0 ? head(node.older).newer : oldest_) = node.newer;
    (node.newer != 0 ? head(node.newer).older : newest_) = node.older;
  }
  void relink(Ref block, Ref fresh);
  [[nodiscard]] bool is_marker(Ref block) const {
    return block != 0 && arena_.flags(block) == kMarker;
  }
  void mark(std::uint32_t now);

  Arena& arena_;
  Ref oldest_ = 0;
  Ref newest_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t markers_ = 0;
  std::uint64_t weight_ = 0;
  std::uint64_t since_marker_ = 0;  // weight
  std::uint32_t marked_ = ~0U;      // time of the last marker
  std::uint32_t time_ = 0;
};

}  // namespace larder::detail
