// Which of twelve bytes equal a byte: a handful of instructions, since every
// lookup does it.
//
// Threads: a plain value.
#pragma once

#include <bit>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace larder::detail {

// A bit for each place, from 0 to 11, that holds `tag`: of the eight bytes of
// `low`, then the four of `high`, each from the low end. For processors without
// anything better: a place just above a true match may be a false one.
[[nodiscard]] constexpr std::uint32_t matches_by_words(std::uint64_t low, std::uint32_t high,
                                                       std::uint8_t tag) {
  // The high bit of each byte that equals the tag; then those bits side by side.
  const auto in_word = [tag](std::uint64_t word) {
    constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
    constexpr std::uint64_t kHighs = 0x8080'8080'8080'8080;
    constexpr std::uint64_t kGather = 0x0102'0408'1020'4080;
    const std::uint64_t differing = word ^ kOnes * tag;
    const std::uint64_t equal = (differing - kOnes) & ~differing & kHighs;
    return static_cast<std::uint32_t>((equal >> 7) * kGather >> 56);
  };
  return in_word(low) | (in_word(high) & 0xF) << 8;
}

#ifdef __SSE2__
// Twelve tags, and four bytes that do not matter.
using TagLine = __m128i;

// The line at `at`, which other threads may change meanwhile, a tag at a time: what
// they stored before a tag that is seen here is seen later on, since these processors
// keep loads in order. One instruction, where putting a line together from atomic
// words took a twentieth of a hit's time.
[[nodiscard]] inline TagLine load_tags(const void* at) {
  TagLine line;
  asm volatile("movdqu %1, %0" : "=x"(line) : "m"(*static_cast<const __m128i_u*>(at)) : "memory");
  return line;
}

// The same as above, and none false.
[[nodiscard]] inline std::uint32_t matches_in(TagLine line, std::uint8_t tag) {
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(line, wanted))) & 0xFFF;
}
#endif

// Goes through the matching places in turn.
class TagMatches {
 public:
  explicit TagMatches(std::uint32_t bits) : bits_{bits} {}

  [[nodiscard]] bool any() const { return bits_ != 0; }
  // REQUIRES: any().
  [[nodiscard]] unsigned slot() const { return static_cast<unsigned>(std::countr_zero(bits_)); }
  void next() { bits_ &= bits_ - 1; }

 private:
  std::uint32_t bits_;
};

}  // namespace larder::detail
