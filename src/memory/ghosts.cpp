#include "larder/detail/memory/ghosts.hpp"

#include <algorithm>
#include <new>

#include "larder/detail/memory/cache_line.hpp"

namespace larder::detail {

namespace {

// A word, from the top: 23 bits of hash, never all zero · from_main · two times.
constexpr unsigned kMarkShift = 2 * Ghost::kTimeBits + 1;
constexpr unsigned kMainShift = 2 * Ghost::kTimeBits;

}  // namespace

void Ghosts::resize(std::size_t entries) {
  const std::size_t sets = (entries + kWays - 1) / kWays;
  sets_ = 0;
  words_.reset();
  if (sets == 0) return;
  try {
    const std::size_t bytes = sets * kWays * sizeof(std::uint64_t);
    words_.emplace(bytes, bytes < Reservation::kHugePage ? Reservation::Pages::kSmall
                                                         : Reservation::Pages::kAny);
    sets_ = sets;
  } catch (const std::bad_alloc&) {
  }
}

std::uint64_t* Ghosts::set(std::uint64_t hash) const {
  // Maps 32 bits of hash evenly to the sets, of which there may be any number.
  const std::uint64_t low = hash & 0xFFFF'FFFF;
  return words() + (low * sets_ >> 32) * kWays;
}

std::uint64_t Ghosts::mark(std::uint64_t hash) {
  return std::max<std::uint64_t>(hash >> kMarkShift, 1) << kMarkShift;
}

void Ghosts::add(std::uint64_t hash, Ghost ghost) {
  if (sets_ == 0) return;
  std::uint64_t* const words = set(hash);
  std::copy_backward(words, words + kWays - 1, words + kWays);
  words[0] = mark(hash) | std::uint64_t{ghost.from_main} << kMainShift |
             std::uint64_t{ghost.admitted & Ghost::kTimes} << Ghost::kTimeBits |
             (ghost.evicted & Ghost::kTimes);
}

void Ghosts::fetch(std::uint64_t hash) const {
  if (sets_ > 0) fetch_to_write(set(hash));
}

bool Ghosts::take(std::uint64_t hash, Ghost& ghost) {
  if (sets_ == 0) return false;
  std::uint64_t* const words = set(hash);
  const std::uint64_t wanted = mark(hash);
  std::uint64_t* const end = words + kWays;
  std::uint64_t* const found = std::find_if(words, end, [wanted](std::uint64_t word) {
    return word >> kMarkShift << kMarkShift == wanted;
  });
  if (found == end) return false;
  ghost = {.admitted = static_cast<std::uint32_t>(*found >> Ghost::kTimeBits) & Ghost::kTimes,
           .evicted = static_cast<std::uint32_t>(*found) & Ghost::kTimes,
           .from_main = (*found >> kMainShift & 1) != 0};
  std::copy(found + 1, end, found);
  end[-1] = 0;
  return true;
}

}  // namespace larder::detail
