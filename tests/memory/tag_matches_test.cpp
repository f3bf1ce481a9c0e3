#include "larder/detail/memory/tag_matches.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace larder::detail {
namespace {

// Twelve tags of few kinds, so that matches are many, and four bytes behind them.
struct Tags {
  explicit Tags(std::mt19937_64& random) {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4);
  }
  [[nodiscard]] std::uint32_t equal(std::uint8_t tag) const {
    std::uint32_t bits = 0;
    for (unsigned place = 0; place < 12; ++place) {
      if (bytes[place] == tag) bits |= 1U << place;
    }
    return bits;
  }
  template <class Word>
  [[nodiscard]] Word word(std::size_t at) const {
    Word word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    return word;
  }

  std::array<std::uint8_t, 16> bytes{};
};

TEST(TagMatches, AreGoneThroughFromTheLowEnd) {
  constexpr std::uint32_t kBits = 0b1000'0001'0110;

  std::vector<unsigned> slots;
  for (TagMatches match{kBits}; match.any(); match.next()) slots.push_back(match.slot());

  EXPECT_EQ(slots, (std::vector<unsigned>{1, 2, 4, 11}));
}

#ifdef __SSE2__
TEST(TagMatches, InALineAreThePlacesThatHoldTheTag) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 1000; ++i) {
    const Tags tags{random};
    for (std::uint8_t tag = 0; tag < 5; ++tag) {
      EXPECT_EQ(matches_in(load_tags(tags.bytes.data()), tag), tags.equal(tag));
    }
  }
}
#endif

TEST(TagMatches, ByWordsMissNoneAndAreWrongOnlyAboveATrueOne) {
  std::mt19937_64 random{2};
  for (int i = 0; i < 1000; ++i) {
    const Tags tags{random};
    for (std::uint8_t tag = 0; tag < 5; ++tag) {
      const std::uint32_t places =
          matches_by_words(tags.word<std::uint64_t>(0), tags.word<std::uint32_t>(8), tag);

      const std::uint32_t truth = tags.equal(tag);
      EXPECT_EQ(places & truth, truth);
      const std::uint32_t wrong = places & ~truth;
      EXPECT_EQ(wrong & (places << 1), wrong);
      EXPECT_LT(places, 1U << 12);
    }
  }
}

}  // namespace
}  // namespace larder::detail
