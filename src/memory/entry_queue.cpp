#include "larder/detail/memory/entry_queue.hpp"

namespace larder::detail {

void EntryQueue::push(Ref entry, std::uint64_t weight, std::uint32_t now, std::uint64_t spacing) {
  if (empty() || (now != marked_ && since_marker_ >= spacing)) mark(now);
  link(entry);
  ++entries_;
  weight_ += weight;
  since_marker_ += weight;
}

void EntryQueue::replace(Ref entry, std::uint64_t weight, Ref fresh, std::uint64_t fresh_weight) {
  relink(entry, fresh);
  weight_ += fresh_weight - weight;
}

bool EntryQueue::move_marker(Ref marker) {
  const Ref fresh = arena_.allocate(kMarkerBytes);
  if (fresh == 0) return false;
  arena_.set_flags(fresh, kMarker);
  head(fresh).wheel_next = head(marker).wheel_next;
  relink(marker, fresh);
  return true;
}

Ref EntryQueue::oldest() {
  while (is_marker(oldest_)) {
    const Ref marker = oldest_;
    time_ = head(marker).wheel_next;
    unlink(marker);
    arena_.release(marker);
    --markers_;
  }
  // Who asks is about to take it out, and may ask for the one behind it next.
  fetch(head(oldest_).newer);
  return oldest_;
}

// Without memory there is no marker, and what comes counts as older than it is.
void EntryQueue::mark(std::uint32_t now) {
  if (!is_marker(newest_)) {
    const Ref marker = arena_.allocate(kMarkerBytes);
    if (marker == 0) return;
    ++markers_;
    arena_.set_flags(marker, kMarker);
    link(marker);
  }
  head(newest_).wheel_next = now;
  marked_ = now;
  since_marker_ = 0;
}

void EntryQueue::relink(Ref block, Ref fresh) {
  EntryHead& node = head(fresh);
  node.older = head(block).older;
  node.newer = head(block).newer;
  (node.older != 0 ? head(node.older).newer : oldest_) = fresh;
  (node.newer != 0 ? head(node.newer).older : newest_) = fresh;
}

}  // namespace larder::detail
