#include "larder/detail/memory/expiry_wheel.hpp"

#include <algorithm>
#include <bit>

namespace larder::detail {

void ExpiryWheel::add(Ref entry) {
  if (head(entry).usable_until_ms() != EntryHead::kNever) place(entry);
}

void ExpiryWheel::place(Ref entry) {
  EntryHead& node = head(entry);
  const std::size_t slot = slot_of(std::max(node.usable_until_ms(), tick_));
  Ref& first = slots_[slot];
  node.wheel_next = first;
  node.wheel_before = kFirst | static_cast<Ref>(slot);
  if (first != 0) head(first).wheel_before = entry;
  first = entry;
  occupied_[slot / kSlots] |= std::uint64_t{1} << slot % kSlots;
}

std::size_t ExpiryWheel::slot_of(std::uint64_t tick) const {
  const auto differing = static_cast<unsigned>(std::bit_width(tick ^ tick_));
  const unsigned level = differing == 0 ? 0 : (differing - 1) / kBits;
  return std::size_t{level} * kSlots + (tick >> (level * kBits)) % kSlots;
}

void ExpiryWheel::fetch(TimePoint usable_until) const {
  const std::uint64_t tick = to_ms(usable_until);
  if (tick < EntryHead::kNever) fetch_to_write(arena_.at(slots_[slot_of(std::max(tick, tick_))]));
}

void ExpiryWheel::remove(Ref entry) {
  EntryHead& node = head(entry);
  const Ref before = node.wheel_before;
  if (before == 0) return;
  node.wheel_before = 0;
  if (node.wheel_next != 0) head(node.wheel_next).wheel_before = before;
  if ((before & kFirst) == 0) {
    head(before).wheel_next = node.wheel_next;
    return;
  }
  const Ref slot = before & ~kFirst;
  slots_[slot] = node.wheel_next;
  if (node.wheel_next == 0) occupied_[slot / kSlots] &= ~(std::uint64_t{1} << slot % kSlots);
}

void ExpiryWheel::replace(Ref entry, Ref fresh) {
  EntryHead& node = head(fresh);
  node.wheel_before = head(entry).wheel_before;
  node.wheel_next = head(entry).wheel_next;
  if (node.wheel_before == 0) return;
  if (node.wheel_next != 0) head(node.wheel_next).wheel_before = fresh;
  const bool first = (node.wheel_before & kFirst) != 0;
  (first ? slots_[node.wheel_before & ~kFirst] : head(node.wheel_before).wheel_next) = fresh;
}

Ref ExpiryWheel::pop_due(TimePoint now, std::size_t& steps) {
  const std::uint64_t last = to_ms(now);
  if (last < tick_) return 0;
  for (;;) {
    for (unsigned level = kLevels - 1; level > 0; --level) {
      if (!cascade(level, steps)) return 0;
    }
    // All that lies in the slot of this very tick is due.
    if (const Ref entry = slots_[tick_ % kSlots]; entry != 0) {
      if (steps == 0) return 0;
      --steps;
      remove(entry);
      return entry;
    }
    if (tick_ == last) return 0;
    tick_ = next_tick(last);
  }
}

// Moves what lies in the slot that the wheel stands in down a level. False: the
// steps ran out; what is left is moved by the next call.
bool ExpiryWheel::cascade(unsigned level, std::size_t& steps) {
  const auto slot = static_cast<unsigned>((tick_ >> (level * kBits)) % kSlots);
  while (const Ref entry = slots_[level * kSlots + slot]) {
    if (steps == 0) return false;
    --steps;
    remove(entry);
    place(entry);
  }
  return true;
}

// The start of the next occupied slot, or `last`, whichever comes first.
std::uint64_t ExpiryWheel::next_tick(std::uint64_t last) const {
  for (unsigned level = 0; level < kLevels; ++level) {
    const auto at = static_cast<unsigned>((tick_ >> (level * kBits)) % kSlots);
    // The slot that the wheel stands in is empty by now, and so are those before it.
    const std::uint64_t later = occupied_[level] & (~std::uint64_t{1} << at);
    if (later == 0) continue;
    const auto slot = static_cast<std::uint64_t>(std::countr_zero(later));
    const unsigned shift = (level + 1) * kBits;
    return std::min((tick_ >> shift << shift) | slot << (level * kBits), last);
  }
  return last;
}

}  // namespace larder::detail
