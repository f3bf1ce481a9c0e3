#include "larder/detail/memory/tag_matches.hpp"

#include <gtest/gtest.h>

#include <random>

namespace larder::detail {
namespace {

// Twelve tags of few kinds, so that matches are many.
struct Tags {
  explicit Tags(std::mt19937_64& random) {
    for (unsigned place = 0; place < 12; ++place) {
      const std::uint64_t tag = random() % 4;
      if (place < 8) low |= tag << 8 * place;
      if (place >= 8) high |= static_cast<std::uint32_t>(tag << 8 * (place - 8));
    }
  }
  [[nodiscard]] std::uint32_t equal(std::uint8_t tag) const {
    std::uint32_t bits = 0;
    for (unsigned place = 0; place < 12; ++place) {
      const std::uint64_t at = place < 8 ? low >> 8 * place : high >> 8 * (place - 8);
      if ((at & 0xFF) == tag) bits |= 1U << place;
    }
    return bits;
  }

  std::uint64_t low = 0;
  std::uint32_t high = 0;
};

TEST(TagMatches, AreThePlacesThatHoldTheTag) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 1000; ++i) {
    const Tags tags{random};

    std::uint32_t places = 0;
    for (TagMatches match{tags.low, tags.high, 3}; match.any(); match.next()) {
      places |= 1U << match.slot();
    }

#ifdef __SSE2__
    EXPECT_EQ(places, tags.equal(3));
#else
    EXPECT_EQ(places & tags.equal(3), tags.equal(3));
#endif
  }
}

TEST(TagMatches, ByWordsMissNoneAndAreWrongOnlyAboveATrueOne) {
  std::mt19937_64 random{2};
  for (int i = 0; i < 1000; ++i) {
    const Tags tags{random};

    const std::uint32_t places = matches_by_words(tags.low, tags.high, 3);

    const std::uint32_t truth = tags.equal(3);
    EXPECT_EQ(places & truth, truth);
    const std::uint32_t wrong = places & ~truth;
    EXPECT_EQ(wrong & (places << 1), wrong);
    EXPECT_LT(places, 1U << 12);
  }
}

}  // namespace
}  // namespace larder::detail
