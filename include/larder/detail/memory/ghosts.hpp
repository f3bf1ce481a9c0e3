// Remembers entries that were evicted: when they had come in, and how much has
// been evicted since they went.
//
// A ghost is eight bytes in a set of eight, chosen by the key's hash; a new one
// takes the place of the set's oldest. Amounts are counted in units of bytes
// (Eviction says how many).
//
// Threads: none; the shard's mutex guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "larder/detail/memory/reservation.hpp"

namespace larder::detail {

struct Ghost {
  // Amounts are kept modulo a power of two, which is a thousand times the capacity.
  static constexpr unsigned kTimeBits = 20;
  static constexpr std::uint32_t kTimes = (1U << kTimeBits) - 1;

  std::uint32_t admitted = 0;  // when it came in
  std::uint32_t evicted = 0;   // how much its queue had evicted when it went
  bool from_main = false;

  // How long ago it came in.
  [[nodiscard]] std::uint32_t age(std::uint32_t now) const { return (now - admitted) & kTimes; }
};

class Ghosts {
 public:
  // Remembers about `entries` of them from now on. What was remembered is lost.
  // Without memory for them, none.
  void resize(std::size_t entries);
  [[nodiscard]] std::size_t size() const { return sets_ * kWays; }
  [[nodiscard]] std::size_t bytes() const { return size() * sizeof(std::uint64_t); }

  void add(std::uint64_t hash, Ghost ghost);
  // Has the processor fetch what add() and take() will look at.
  void fetch(std::uint64_t hash) const;
  // Forgets the ghost and tells of it; false if there is none.
  bool take(std::uint64_t hash, Ghost& ghost);

 private:
  static constexpr std::size_t kWays = 8;

  // Its set's first word, and the mark that tells it from the others there.
  [[nodiscard]] std::uint64_t* set(std::uint64_t hash) const;
  [[nodiscard]] static std::uint64_t mark(std::uint64_t hash);

  [[nodiscard]] std::uint64_t* words() const {
    return reinterpret_cast<std::uint64_t*>(words_->data());
  }

  std::optional<Reservation> words_;  // newest first in each set; 0: none
  std::size_t sets_ = 0;
};

}  // namespace larder::detail
