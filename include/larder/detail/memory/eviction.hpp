// Chooses what to evict.
//
// Two queues, both in order of entry, and a memory of what was evicted (ghosts).
// A read only counts up an entry's `uses`, to at most 3, and moves nothing.
//
//   window  Newcomers, a small part of the capacity. What was read by the time it
//           reaches the end goes to main, what was not is evicted: a scan passes
//           through here and harms nobody.
//   main    What proved itself; until it is first full, also what is not large. An
//           entry that reaches the end with uses left pays one and starts over
//           (CLOCK); one without is evicted, and only when a better one wants its
//           place.
//   ghosts  A newcomer that was here before goes straight to main, if there is room or
//           if it was here more recently than main's end was last looked at: its
//           reuse distance is then shorter than that of what it displaces (the rule
//           of LIRS). A loop larger than the cache fails that test forever, so a
//           part of it stays and is hit, where an LRU would lose all of it.
//
// What is large displaces not only main's end, but much of what lies before it: it has
// to come back the sooner, the more of main it would take. And a large newcomer for which
// the window is too small is not let in at all; its ghost is.
//
// How large the window is adapts to what a little more of either queue would
// have been worth: a ghost that comes back after its queue has evicted less than
// a tenth of the capacity would have been a hit, had that queue been so much
// larger. What the window gains main loses, and what main then could not keep
// would have come through the window too: that is reckoned with, or a loop
// just larger than the cache would give all of main for nothing. Two exceptions:
// where the window's ghosts that a window of the whole capacity would have kept
// come back three times as much as main is read, main is of no use, and they all
// count. And a window of which hardly anything is read shrinks.
//
// All of it is weighed in bytes. docs/decisions/eviction.md gives the figures, and
// what else was tried.
//
// Threads: none; the shard's mutex guards it. `uses` alone is atomic.
//
// Sources: S. Jiang, X. Zhang, "LIRS", SIGMETRICS 2002; Y. Yang et al., "FIFO
// Queues are All You Need for Cache Eviction", SOSP 2023.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/entry_block.hpp"
#include "larder/detail/memory/entry_queue.hpp"
#include "larder/detail/memory/ghosts.hpp"

namespace larder::detail {

// Where a newcomer goes.
enum class Place : std::uint8_t {
  kWindow,
  kMain,
  kNowhere,  // evicted before it is in
};

// What Eviction asks about entries: weight(ref) and hash(ref), and dead(ref),
// whether the entry is expired or cleared and so goes without more ado.
template <class Entries>
class Eviction {
 public:
  // `capacity` in what weight() counts in; a good ghost memory holds `least_ghosts`; time is
  // not told finer than by `least_spacing` of weight, since that takes memory.
  Eviction(Arena& arena, const Entries& entries, std::uint64_t capacity, std::size_t least_ghosts,
           std::uint64_t least_spacing)
      : arena_{arena},
        entries_{entries},
        unit_{std::max<std::uint64_t>(capacity / kUnits, 1)},
        spacing_{std::max((unit_ + 15) / 16, least_spacing)},
        least_ghosts_{least_ghosts},
        window_{arena},
        main_{arena} {
    set_capacity(capacity);
    window_share_ = std::max(1.0, static_cast<double>(capacity_) * kFirstShare);
  }

  // What entries may weigh together.
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  void set_capacity(std::uint64_t capacity) {
    if (capacity == capacity_) return;
    capacity_ = std::max<std::uint64_t>(capacity, 1);
    per_capacity_ = 1 / static_cast<double>(capacity_);
  }
  [[nodiscard]] std::uint64_t weight() const { return window_.weight() + main_.weight(); }
  [[nodiscard]] std::size_t ghost_bytes() const { return ghosts_.bytes(); }
  // What the queues take of the arena beside entries.
  [[nodiscard]] std::size_t marker_bytes() const {
    return window_.marker_bytes() + main_.marker_bytes();
  }

  // Tells of a newcomer before room is made for it; where it belongs.
  [[nodiscard]] Place arrives(std::uint64_t hash, std::uint64_t weight) {
    const bool to_main = goes_to_main(hash, weight);
    clock_ += weight;
    if (evicted_) count_arrival(weight);
    if (to_main) return Place::kMain;
    if (!floods_window(weight)) return Place::kWindow;
    window_evicted_ += weight;
    remember(hash, {.admitted = now(), .evicted = units(window_evicted_), .from_main = false});
    return Place::kNowhere;
  }
  void add(Ref entry, bool to_main) {
    arena_.set_flags(entry, to_main ? kInMain : 0);
    queue_of(entry).push(entry, entries_.weight(entry), now(), spacing_);
  }
  // Answers a block of the kind kMarker that is not needed any more, the caller's to retire, or 0.
  [[nodiscard]] Ref remove(Ref entry) {
    return queue_of(entry).remove(entry, entries_.weight(entry));
  }
  // Puts `fresh`, a copy of `entry`, in its place.
  void replace(Ref entry, Ref fresh) {
    arena_.set_flags(fresh, arena_.flags(entry));
    queue_of(entry).replace(entry, entries_.weight(entry), fresh, entries_.weight(fresh));
  }
  // Puts a copy of a block of the kind kMarker in its place; false: no memory for it.
  [[nodiscard]] bool move_marker(Ref marker) {
    return (main_.ends_with(marker) ? main_ : window_).move_marker(marker);
  }
  // What may be evicted after `evicted`, if it is easily told; else 0.
  [[nodiscard]] Ref next_victim(Ref evicted) const {
    return (in_main(evicted) ? main_ : window_).oldest_entry();
  }
  // Has the processor fetch what is kept of that hash.
  void fetch(std::uint64_t hash) const { ghosts_.fetch(hash); }
  // Has it fetch what victim() and add() will look at first.
  void fetch_ends() const {
    window_.fetch_ends();
    main_.fetch_ends();
  }
  // Has it fetch what remove() and replace() will look at.
  void fetch_neighbours(Ref entry) const {
    fetch_to_write(arena_.at(head_of(entry).older));
    fetch_to_write(arena_.at(head_of(entry).newer));
  }
  [[nodiscard]] bool in_main(Ref entry) const { return (arena_.flags(entry) & kInMain) != 0; }

  // Takes the entry that is to go out of its queue; 0 if there is none.
  [[nodiscard]] Ref victim() {
    evicted_ = true;
    for (unsigned spared = 0;;) {
      const bool window_is_small =
          window_.weight() < window_share() && main_.weight() > main_share();
      if (window_.empty() || window_is_small) {
        if (!main_.empty()) return evict_from_main();
        if (window_.empty()) return 0;
      }
      const Ref entry = window_.oldest();
      const std::uint64_t weight = entries_.weight(entry);
      if (entries_.dead(entry)) {
        window_.pop(entry, weight);
        return entry;
      }
      EntryHead& head = head_of(entry);
      // A bound on the work: readers may be faster than this loop.
      if (head.used() == 0 || spared == kMostSpared) return evict_from_window(entry, weight);

      ++spared;
      average(window_read_, 1, weight);
      const bool better =
          main_.weight() < main_share() || beats_main(now() - window_.time(), weight);
      window_.pop(entry, weight);
      head.set_used(0);
      add(entry, better);
      if (better && main_.weight() > main_share()) return evict_from_main();
    }
  }

 private:
  static constexpr std::uint32_t kInMain = 1;  // of the arena's flags of an entry

  static constexpr std::uint64_t kUnits = 1024;  // of time to a capacity's worth of newcomers
  static constexpr double kFirstShare = 0.1;
  static constexpr double kLeastShare = 0.01;
  static constexpr double kMostShare = 0.9;
  static constexpr double kDepth = 0.1;            // how much larger a queue is imagined
  static constexpr double kUseless = 0.5;          // of main_useless_: three to one
  static constexpr double kHardlyRead = 1.0 / 64;  // of what leaves the window
  static constexpr unsigned kMostSpared = 64;

  [[nodiscard]] EntryHead& head_of(Ref entry) const {
    return *reinterpret_cast<EntryHead*>(arena_.at(entry));
  }
  [[nodiscard]] EntryQueue& queue_of(Ref entry) { return in_main(entry) ? main_ : window_; }
  [[nodiscard]] std::uint64_t window_share() const {
    const auto share = static_cast<std::uint64_t>(window_share_);
    return std::clamp<std::uint64_t>(share, 1, std::max<std::uint64_t>(capacity_ - 1, 1));
  }
  [[nodiscard]] std::uint64_t main_share() const {
    return capacity_ - std::min(window_share(), capacity_);
  }
  [[nodiscard]] std::uint32_t now() const { return units(clock_); }
  [[nodiscard]] std::uint32_t units(std::uint64_t amount) const {
    return static_cast<std::uint32_t>(amount / unit_);
  }

  [[nodiscard]] bool goes_to_main(std::uint64_t hash, std::uint64_t weight) {
    Ghost ghost;
    if (!ghosts_.take(hash, ghost)) {
      // Until it is first full. What is large would take the room of many, and proves itself first.
      return !evicted_ && main_.weight() < main_share() && !is_large(weight);
    }
    adapt(ghost, weight);
    return main_.weight() + weight <= main_share() || beats_main(ghost.age(now()), weight);
  }
  // Whether main would have to make room for a newcomer of that weight, which the window,
  // even twice as large, does not have.
  [[nodiscard]] bool floods_window(std::uint64_t weight) const {
    constexpr std::uint64_t kWindows = 2;
    return evicted_ && weight > kWindows * window_share() && is_large(weight) &&
           main_.weight() + weight > capacity_;
  }
  [[nodiscard]] bool is_large(std::uint64_t weight) const {
    constexpr std::uint64_t kLarge = 2;  // times the mean
    const std::size_t entries = entries_.count();
    return entries > 0 && weight > kLarge * (this->weight() / entries);
  }
  // Whether what came in `age` ago, and is read again, deserves its room better than what it
  // would push out of main: main's end, and the more before it the larger it is. A sixteenth of
  // main has to be read again in half the time.
  [[nodiscard]] bool beats_main(std::uint32_t age, std::uint64_t weight) {
    constexpr double kWeight = 16;
    charge_main_end();
    if (main_.empty()) return true;
    const double part = static_cast<double>(weight) / static_cast<double>(main_.weight());
    return static_cast<double>(age) * (1 + kWeight * part) <
           static_cast<double>(now() - main_.time());
  }

  // Those at main's end that have uses left pay one and start over.
  void charge_main_end() {
    while (!main_.empty()) {
      const Ref entry = main_.oldest();
      EntryHead& head = head_of(entry);
      const std::uint8_t uses = head.used();
      if (uses == 0 || entries_.dead(entry)) break;
      const std::uint64_t weight = entries_.weight(entry);
      head.set_used(uses - 1);
      average(main_useless_, -1, weight);
      if (uses == 1) kept_ += static_cast<double>(weight);
      main_.pop(entry, weight);
      main_.push(entry, weight, now(), spacing_);
    }
  }

  Ref evict_from_main() {
    charge_main_end();
    const Ref entry = main_.oldest();
    const std::uint64_t weight = entries_.weight(entry);
    const std::uint32_t admitted = main_.time();
    main_.pop(entry, weight);
    if (entries_.dead(entry)) return entry;
    main_evicted_ += weight;
    remember(entries_.hash(entry),
             {.admitted = admitted, .evicted = units(main_evicted_), .from_main = true});
    return entry;
  }

  Ref evict_from_window(Ref entry, std::uint64_t weight) {
    const std::uint32_t admitted = window_.time();
    window_.pop(entry, weight);
    window_evicted_ += weight;
    average(window_read_, 0, weight);
    if (window_read_ < kHardlyRead && main_useless_ < kUseless) {
      resize_window(-static_cast<double>(weight) / 4);  // slower than it grows where it should
    }
    remember(entries_.hash(entry),
             {.admitted = admitted, .evicted = units(window_evicted_), .from_main = false});
    return entry;
  }

  void remember(std::uint64_t hash, Ghost ghost) {
    const std::size_t entries = std::max(entries_.count(), least_ghosts_);
    if (ghosts_.size() < entries / 2 || (ghosts_.size() == 0 && entries > 0)) {
      ghosts_.resize(entries);
    }
    ghosts_.add(hash, ghost);
  }

  // Of late: an average over about a capacity's worth, in which one entry is a sixteenth at most.
  void average(double& value, double next, std::uint64_t weight) const {
    value += share_of_late(weight) * (next - value);
  }
  [[nodiscard]] double share_of_late(std::uint64_t weight) const {
    return std::min(static_cast<double>(weight) * per_capacity_, 1.0 / 16);
  }
  void count_arrival(std::uint64_t weight) {
    const double fades = share_of_late(weight);
    kept_ -= fades * kept_;
    came_ += static_cast<double>(weight) - fades * came_;
  }

  void adapt(const Ghost& ghost, std::uint64_t weight) {
    const auto change = static_cast<double>(weight);
    const double since = evicted_since(ghost);
    if (ghost.from_main) {
      if (since < imagined()) resize_window(-change);
      return;
    }
    const double rest = static_cast<double>(capacity_) - window_share_;
    if (since < rest) average(main_useless_, 1, weight);
    const bool hit =
        main_useless_ > kUseless ? since < rest : since + lost_by_main(ghost) < imagined();
    if (hit) resize_window(change);
  }
  // How much the ghost's queue has evicted since.
  [[nodiscard]] double evicted_since(const Ghost& ghost) const {
    const std::uint64_t evicted = ghost.from_main ? main_evicted_ : window_evicted_;
    const std::uint32_t since = (units(evicted) - ghost.evicted) & Ghost::kTimes;  // wraps
    return static_cast<double>(since) * static_cast<double>(unit_);
  }
  [[nodiscard]] double imagined() const {
    return std::max(kDepth * static_cast<double>(capacity_), 1.0);
  }
  // How much more would have come in since the ghost did, had main been smaller by what the
  // window is imagined larger. An entry that one read keeps in main for a round would have
  // missed it with the chance that the read came at the end of the round.
  [[nodiscard]] double lost_by_main(const Ghost& ghost) const {
    if (main_.empty()) return 0;
    const double age = static_cast<double>(ghost.age(now())) * static_cast<double>(unit_);
    return age * kept_ / std::max(came_, 1.0) * imagined() / static_cast<double>(main_.weight());
  }
  void resize_window(double change) {
    const auto capacity = static_cast<double>(capacity_);
    window_share_ = std::clamp(window_share_ + change, std::max(kLeastShare * capacity, 1.0),
                               std::max(kMostShare * capacity, 1.0));
  }

  Arena& arena_;
  const Entries& entries_;
  const std::uint64_t unit_;
  const std::uint64_t spacing_;
  const std::size_t least_ghosts_;
  std::uint64_t capacity_ = 1;
  EntryQueue window_;
  EntryQueue main_;
  Ghosts ghosts_;
  double per_capacity_ = 1;  // 1 / capacity_
  double window_share_ = 1;  // of the capacity; main has the rest
  // Of late: what is kept in main by one read only, and what came in meanwhile; whether
  // there is more that a larger window would have hit (1) than what main is read for (-1);
  // the share of what leaves the window that was read there.
  double kept_ = 0;
  double came_ = 0;
  double main_useless_ = 0;
  double window_read_ = 0;
  std::uint64_t clock_ = 0;           // how much has come in
  std::uint64_t window_evicted_ = 0;  // how much has been evicted
  std::uint64_t main_evicted_ = 0;
  bool evicted_ = false;  // since there is no room, newcomers go to the window
};

}  // namespace larder::detail
