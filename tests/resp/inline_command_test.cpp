#include "resp/inline_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace larder::resp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::optional<std::vector<std::string>> split(std::string_view line) {
  std::string storage;
  std::vector<std::string_view> arguments;
  if (!split_inline(line, storage, arguments)) return std::nullopt;
  return std::vector<std::string>(arguments.begin(), arguments.end());
}

TEST(InlineCommand, SplitsAtBlanks) {
  EXPECT_THAT(*split("  SET\tk   v "), ElementsAre("SET", "k", "v"));
  EXPECT_THAT(*split(" \t\v\f "), IsEmpty());
}

TEST(InlineCommand, DoubleQuotesKeepBlanksAndKnowEscapes) {
  EXPECT_THAT(*split(R"(SET k "a b\n\r\t\b\a\x41\"\\\q")"),
              ElementsAre("SET", "k", "a b\n\r\t\b\aA\"\\q"));
}

TEST(InlineCommand, AnUnfinishedHexEscapeIsAnX) {
  EXPECT_THAT(*split(R"("\x4g")"), ElementsAre("x4g"));
  EXPECT_THAT(*split(R"("\x4")"), ElementsAre("x4"));
}

TEST(InlineCommand, SingleQuotesKnowOnlyThemselvesEscaped) {
  EXPECT_THAT(*split(R"('a\n\'b')"), ElementsAre(R"(a\n'b)"));
}

TEST(InlineCommand, AQuoteMayOpenInsideAnArgument) {
  EXPECT_THAT(*split(R"(foo"bar" x)"), ElementsAre("foobar", "x"));
}

TEST(InlineCommand, EmptyQuotesAreAnEmptyArgument) {
  EXPECT_THAT(*split(R"(SET k "")"), ElementsAre("SET", "k", ""));
}

TEST(InlineCommand, RefusesQuotesThatDoNotClose) {
  EXPECT_EQ(split("\"a"), std::nullopt);
  EXPECT_EQ(split("'a"), std::nullopt);
  EXPECT_EQ(split("\"a\\"), std::nullopt);
  EXPECT_EQ(split("'a\\'"), std::nullopt);
}

TEST(InlineCommand, RefusesTextRightAfterAClosingQuote) {
  EXPECT_EQ(split(R"("a"b)"), std::nullopt);
  EXPECT_EQ(split(R"('a'b)"), std::nullopt);
}

TEST(InlineCommand, ANulIsAByteAsAnyOther) {
  using std::string_view_literals::operator""sv;
  EXPECT_THAT(*split("a\0b \"\0\""sv), ElementsAre("a\0b"sv, "\0"sv));
}

}  // namespace
}  // namespace larder::resp
