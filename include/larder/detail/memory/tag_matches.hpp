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

// The same, and none false, where the processor compares sixteen bytes at once.
// REQUIRES: tag != 0.
[[nodiscard]] inline std::uint32_t matches_of(std::uint64_t low, std::uint32_t high,
                                              std::uint8_t tag) {
#ifdef __SSE2__
  const __m128i tags = _mm_set_epi64x(high, static_cast<std::int64_t>(low));
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted)));
#else
  return matches_by_words(low, high, tag);
#endif
}

// Goes through the matching places in turn.
class TagMatches {
 public:
  // REQUIRES: tag != 0.
  TagMatches(std::uint64_t low, std::uint32_t high, std::uint8_t tag)
      : bits_{matches_of(low, high, tag)} {}

  [[nodiscard]] bool any() const { return bits_ != 0; }
  // REQUIRES: any().
  [[nodiscard]] unsigned slot() const { return static_cast<unsigned>(std::countr_zero(bits_)); }
  void next() { bits_ &= bits_ - 1; }

 private:
  std::uint32_t bits_;
};

}  // namespace larder::detail
