#include "larder/detail/memory/arena.hpp"

#include <algorithm>
#include <bit>

namespace larder::detail {

Arena::Arena(std::size_t bytes)
    : range_{bytes},
      limit_{range_.size() / kGranule},
      stretches_{(range_.size() / kGranule / kStretch + 1) * sizeof(Ref),
                 Reservation::Pages::kSmall} {}

void Arena::limit(std::size_t bytes) {
  limit_ = std::max<std::size_t>(std::min(bytes, range_.size()) / kGranule, 1);
}

// Below 16 granules each size has its own list; above, each power of two has 16.
unsigned Arena::list_of(std::size_t granules) {
  if (granules < kSteps) return static_cast<unsigned>(granules);
  const auto power = static_cast<unsigned>(std::bit_width(granules)) - 4;
  const auto step = static_cast<unsigned>(granules >> (power - 1)) & (kSteps - 1);
  return power * kSteps + step;
}

Ref Arena::allocate(std::size_t bytes) {
  const std::size_t wanted = rounded(bytes) / kGranule;
  if (wanted > kMost) return 0;

  const Ref found = find(wanted);
  if (found == 0) {
    if (top_ + wanted > limit_) return 0;
    const auto block = static_cast<Ref>(top_);
    top_ += wanted;
    touch();
    header(block) = static_cast<std::uint32_t>(wanted << kSizeShift);
    starts(block);
    return block;
  }

  unlink(found);
  std::size_t size = granules(found);
  const std::uint32_t before = header(found) & kFreeBefore;  // too large to be merged
  if (size - wanted >= kLeast) {
    const auto rest = static_cast<Ref>(found + wanted);
    header(rest) = 0;
    push(rest, size - wanted);
    starts(rest);
    size = wanted;
  } else {
    header(static_cast<Ref>(found + size)) &= ~kFreeBefore;
  }
  header(found) = static_cast<std::uint32_t>(size << kSizeShift) | before;
  return found;
}

// Memory that came in small pages is merged once nearly a huge page's worth is in use. All of
// it is resident then.
void Arena::touch() {
  if (top_ <= touched_) return;
  constexpr std::size_t kHuge = Reservation::kHugePage / kGranule;
  constexpr std::size_t kSpare = (std::size_t{128} << 10) / kGranule;  // more would not be lean
  const std::size_t spare = std::min(range_.size() / kGranule / 32, kSpare);
  const std::size_t before = (touched_ + spare) / kHuge;
  const std::size_t after = std::max(top_, std::min(top_ + spare, limit_)) / kHuge;
  touched_ = top_;
  if (before < after) {
    range_.merge_pages(before * Reservation::kHugePage, after * Reservation::kHugePage);
    touched_ = std::max(top_, after * kHuge);
  }
}

void Arena::release(Ref block) {
  std::size_t size = granules(block);
  if ((header(block) & kFreeBefore) != 0 && footer(block) + size <= kMost) {
    const std::size_t before = footer(block);
    const auto merged = static_cast<Ref>(block - before);
    unlink(merged);
    size += before;
    starts_no_more(block, merged, merged + size);
    block = merged;
  }
  if (block + size < top_) {
    const auto next = static_cast<Ref>(block + size);
    if ((header(next) & kFree) != 0 && granules(next) + size <= kMost) {
      size += granules(next);
      unlink(next);
      starts_no_more(next, block, block + size);
    }
    push(block, size);
    return;
  }
  top_ = block;
  starts_no_more(block, block, block);
  while ((header(block) & kFreeBefore) != 0) {  // was too large to be merged
    block = static_cast<Ref>(block - footer(block));
    unlink(block);
    top_ = block;
    starts_no_more(block, block, block);
  }
}

// Keeps one block of each stretch in mind.
void Arena::starts(Ref block) {
  Ref& start = start_in(block / kStretch);
  if (start == 0) start = block;
}

// `block` is a part of what lies from `within` to `end`; or gone, where that is nothing.
void Arena::starts_no_more(Ref block, Ref within, std::size_t end) {
  Ref& start = start_in(block / kStretch);
  if (start != block) return;
  if (within < block && within / kStretch == block / kStretch) {
    start = within;
  } else if (end > block && end < top_ && end / kStretch == block / kStretch) {
    start = static_cast<Ref>(end);
  } else {
    start = 0;
  }
}

Ref Arena::block_at(std::size_t bytes) const {
  const std::size_t place = std::max<std::size_t>(bytes / kGranule, 1);
  std::size_t stretch = place / kStretch;
  while (start_in(stretch) == 0 || start_in(stretch) > place) --stretch;  // the first has one
  std::size_t block = start_in(stretch);
  while (block + granules(static_cast<Ref>(block)) <= place) {
    block += granules(static_cast<Ref>(block));
  }
  return static_cast<Ref>(block);
}

// A block of at least `granules`: the first of its own list, if that fits, or
// any of a list whose blocks all fit.
Ref Arena::find(std::size_t granules) const {
  unsigned list = list_of(granules);
  const Ref own = lists_[list];
  if (own != 0 && this->granules(own) >= granules) return own;

  ++list;
  unsigned power = list / kSteps;
  if (power >= kPowers) return 0;
  const auto steps = static_cast<std::uint32_t>(steps_[power]) >> (list % kSteps);
  if (steps != 0) return lists_[list + static_cast<unsigned>(std::countr_zero(steps))];

  const std::uint32_t powers = powers_ >> power >> 1 << power << 1;
  if (powers == 0) return 0;
  power = static_cast<unsigned>(std::countr_zero(powers));
  return lists_[power * kSteps + static_cast<unsigned>(std::countr_zero(steps_[power]))];
}

bool Arena::fits(std::size_t bytes) const {
  const std::size_t wanted = rounded(bytes) / kGranule;
  return wanted <= kMost && (top_ + wanted <= limit_ || find(wanted) != 0);
}

Ref Arena::widest_free() const {
  if (powers_ == 0) return 0;
  const auto power = static_cast<unsigned>(std::bit_width(powers_)) - 1;
  const auto step = static_cast<unsigned>(std::bit_width(steps_[power])) - 1;
  return lists_[power * kSteps + step];
}

void Arena::take(Ref block) {
  unlink(block);
  header(block) &= ~kFree;
  header(static_cast<Ref>(block + granules(block))) &= ~kFreeBefore;
}

void Arena::fetch(std::size_t bytes) const {
  const std::size_t wanted = std::min(rounded(bytes) / kGranule, kMost);
  const char* const block = at(lists_[list_of(wanted)]);
  fetch_to_write(block);
  fetch_to_write(block + kCacheLine);
}

// Makes a free block of what lies there, keeping whether the one in front is free.
void Arena::push(Ref block, std::size_t granules) {
  const unsigned list = list_of(granules);
  free_ += granules;
  FreeBlock& free = free_block(block);
  free.header =
      static_cast<std::uint32_t>(granules << kSizeShift) | kFree | (free.header & kFreeBefore);
  free.before = 0;
  free.after = lists_[list];
  if (free.after != 0) free_block(free.after).before = block;
  lists_[list] = block;
  steps_[list / kSteps] |= static_cast<std::uint16_t>(1U << list % kSteps);
  powers_ |= 1U << list / kSteps;

  const auto end = static_cast<Ref>(block + granules);
  footer(end) = static_cast<std::uint32_t>(granules);
  header(end) |= kFreeBefore;
}

void Arena::unlink(Ref block) {
  const FreeBlock& free = free_block(block);
  free_ -= granules(block);
  if (free.after != 0) free_block(free.after).before = free.before;
  if (free.before != 0) {
    free_block(free.before).after = free.after;
    return;
  }
  const unsigned list = list_of(granules(block));
  lists_[list] = free.after;
  if (free.after != 0) return;
  steps_[list / kSteps] &= static_cast<std::uint16_t>(~(1U << list % kSteps));
  if (steps_[list / kSteps] == 0) powers_ &= ~(1U << list / kSteps);
}

void Arena::trim() {
  constexpr std::size_t kMuch = (std::size_t{1} << 20) / kGranule;
  if (touched_ - top_ < kMuch && !overhangs()) return;
  range_.give_back(top_ * kGranule, touched_ * kGranule);
  touched_ = top_;
}

}  // namespace larder::detail
