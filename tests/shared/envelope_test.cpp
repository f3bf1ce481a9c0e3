#include "shared/envelope.hpp"

#include <gtest/gtest.h>

#include <random>

namespace larder::shared {
namespace {

using namespace std::chrono_literals;

constexpr Stamp kStamp{.run = 1, .fingerprint = 2, .generation = 3};

std::string sealed(const Envelope& envelope, EnvelopeOptions options = {}) {
  return seal(kStamp, envelope, options);
}

TEST(Envelope, BringsBackWhatWasPutIn) {
  const Envelope envelope{.body = "{\"id\": 42}",
                          .lifetime = 5min,
                          .load_cost = 1234us,
                          .position = {.time = 1'700'000'000'000, .sequence = 7},
                          .tags = {"brand:7", ""}};

  EXPECT_EQ(open(sealed(envelope), kStamp, {}), envelope);
}

TEST(Envelope, NoRowIsNotAnEmptyValue) {
  EXPECT_EQ(open(sealed({.body = std::nullopt, .lifetime = 5s}), kStamp, {})->body, std::nullopt);
  EXPECT_EQ(open(sealed({.body = "", .lifetime = 5s}), kStamp, {})->body, "");
}

TEST(Envelope, AnotherRunFingerprintOrGenerationIsNotBelieved) {
  const std::string value = sealed({.body = "v"});

  for (const Stamp& other : {Stamp{9, 2, 3}, Stamp{1, 9, 3}, Stamp{1, 2, 9}}) {
    EXPECT_EQ(open(value, other, {}).error(), Disbelief::kStale);
  }
}

TEST(Envelope, LargeValuesAreCompressed) {
  const std::string body(100'000, 'x');

  const std::string value = sealed({.body = body});

  EXPECT_LT(value.size(), 1000U);
  EXPECT_EQ(open(value, kStamp, {})->body, body);
}

TEST(Envelope, WhatDoesNotGetSmallerIsLeftAsItIs) {
  std::mt19937_64 random{1};
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random());

  const std::string value = sealed({.body = noise});

  EXPECT_LT(value.size(), noise.size() + 150);
  EXPECT_EQ(open(value, kStamp, {})->body, noise);
}

TEST(Envelope, AValueThatIsLargerThanAllowedIsCorrupt) {
  const std::string value = sealed({.body = std::string(100'000, 'x')});

  EXPECT_EQ(open(value, kStamp, {.most_body = {99'999}}).error(), Disbelief::kCorrupt);
}

TEST(Envelope, ALaterFormatIsForeign) {
  std::string value = sealed({.body = "v"});
  value[kEnvelopeAt] = 2;

  EXPECT_EQ(open(value, kStamp, {}).error(), Disbelief::kForeign);
}

TEST(Envelope, OtherProgramsValuesAreForeign) {
  for (const char* text : {"", "V", "hello", "{\"id\": 42}"}) {
    EXPECT_EQ(open(text, kStamp, {}).error(), Disbelief::kForeign);
  }
}

TEST(Envelope, ARefreshTokenChangesNothing) {
  std::string value = sealed({.body = "v"});
  value.replace(1 + kStampSize, kTokenSize, std::string(kTokenSize, 't'));

  EXPECT_EQ(open(value, kStamp, {})->body, "v");
}

TEST(Envelope, RandomOnesComeBackAndNoDamageIsBelieved) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const auto below = [&](std::uint64_t end) { return random() % end; };
  for (int round = 0; round < 500; ++round) {
    Envelope envelope{.lifetime = std::chrono::milliseconds{below(1ULL << 40)},
                      .load_cost = std::chrono::microseconds{below(1ULL << 40)},
                      .position = {.time = random(), .sequence = random()}};
    if (below(4) != 0) envelope.body = std::string(below(4000), static_cast<char>(below(256)));
    for (std::uint64_t tag = below(4); tag > 0; --tag) {
      envelope.tags.push_back(std::string(below(300), static_cast<char>(below(256))));
    }
    const std::string value = sealed(envelope);

    ASSERT_EQ(open(value, kStamp, {}), envelope);

    ASSERT_FALSE(open(value.substr(0, below(value.size())), kStamp, {}));
    std::string damaged = value;
    const std::size_t at = kEnvelopeAt + below(value.size() - kEnvelopeAt);
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << below(8)));
    ASSERT_FALSE(open(damaged, kStamp, {})) << "byte " << at;
  }
}

}  // namespace
}  // namespace larder::shared
