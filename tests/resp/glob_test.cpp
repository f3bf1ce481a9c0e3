#include "resp/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace larder::resp {
namespace {

TEST(Glob, LiteralsFitThemselves) {
  EXPECT_TRUE(glob_matches("product:42", "product:42"));
  EXPECT_FALSE(glob_matches("product:42", "product:421"));
  EXPECT_FALSE(glob_matches("product:42", "product:4"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(Glob, AStarTakesAnyBytes) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("***", ""));
  EXPECT_TRUE(glob_matches("product:*", "product:"));
  EXPECT_TRUE(glob_matches("*:4*", "product:42"));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbXcX"));
}

TEST(Glob, AQuestionMarkTakesOneByte) {
  EXPECT_TRUE(glob_matches("h?llo", "hello"));
  EXPECT_FALSE(glob_matches("h?llo", "hllo"));
  EXPECT_FALSE(glob_matches("hello?", "hello"));
}

TEST(Glob, AClassTakesOneOfItsBytes) {
  EXPECT_TRUE(glob_matches("h[ae]llo", "hallo"));
  EXPECT_FALSE(glob_matches("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_matches("h[^e]llo", "hallo"));
  EXPECT_FALSE(glob_matches("h[^e]llo", "hello"));
  EXPECT_TRUE(glob_matches("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(glob_matches("h[c-a]llo", "hbllo"));
  EXPECT_FALSE(glob_matches("h[a-c]llo", "hdllo"));
  EXPECT_TRUE(glob_matches("[0-9]*[^0-9]", "1x"));
  EXPECT_TRUE(glob_matches("[\\]-]", "]"));
  EXPECT_TRUE(glob_matches("[\\]-]", "-"));
}

TEST(Glob, OddClassesMeanWhatRedisMakesOfThem) {
  EXPECT_FALSE(glob_matches("[", "["));
  EXPECT_FALSE(glob_matches("[]", "a"));
  EXPECT_TRUE(glob_matches("[^]", "a"));
  EXPECT_TRUE(glob_matches("[^", "a"));
  EXPECT_TRUE(glob_matches("[abc", "b"));
  EXPECT_TRUE(glob_matches("[a-", "-"));
  EXPECT_TRUE(glob_matches("[a-]", "^"));
}

TEST(Glob, ABackslashTakesTheMeaningOfTheNextByte) {
  EXPECT_TRUE(glob_matches("a\\*", "a*"));
  EXPECT_FALSE(glob_matches("a\\*", "ab"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
}

TEST(Glob, IgnoresTheCaseOfLettersWhereAsked) {
  EXPECT_FALSE(glob_matches("Max[A-C]*", "mAXb"));
  EXPECT_TRUE(glob_matches("Max[A-C]*", "mAXb", GlobCase::kIgnore));
}

TEST(Glob, BytesAreUnsigned) { EXPECT_TRUE(glob_matches("[a-\xff]", "\xe4")); }

// The naive matcher would need longer than the universe has.
TEST(Glob, ManyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  pattern += 'b';

  EXPECT_FALSE(glob_matches(pattern, std::string(20'000, 'a')));
}

}  // namespace
}  // namespace larder::resp
