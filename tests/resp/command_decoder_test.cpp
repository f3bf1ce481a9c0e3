#include "resp/command_decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace larder::resp {
namespace {

using Outcome = CommandDecoder::Outcome;
using testing::ElementsAre;

// The error that `bytes` end in; "" when there is none.
std::string error_of(std::string_view bytes, CommandLimits limits = {}) {
  CommandDecoder decoder{limits};
  while (decoder.decode(bytes) == Outcome::kCommand) bytes.remove_prefix(decoder.consumed());
  return decoder.error();
}

TEST(CommandDecoder, YieldsArgumentsAsViewsOfTheInput) {
  CommandDecoder decoder;
  const std::string bytes = "*2\r\n$3\r\nGET\r\n$5\r\na\r\nbc\r\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);

  EXPECT_THAT(decoder.arguments(), ElementsAre("GET", "a\r\nbc"));
  EXPECT_EQ(decoder.arguments()[0].data(), bytes.data() + 8);
  EXPECT_EQ(decoder.consumed(), bytes.size());
}

TEST(CommandDecoder, TakesPipelinedCommandsOneByOne) {
  CommandDecoder decoder;
  std::string_view bytes = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);
  EXPECT_THAT(decoder.arguments(), ElementsAre("PING"));
  bytes.remove_prefix(decoder.consumed());
  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);
  EXPECT_THAT(decoder.arguments(), ElementsAre("GET", ""));
  bytes.remove_prefix(decoder.consumed());

  EXPECT_EQ(decoder.decode(bytes), Outcome::kNeedMore);
}

TEST(CommandDecoder, GoesOnWhereItStoodThoughTheBufferMoved) {
  CommandDecoder decoder;
  const std::string first = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhe";
  ASSERT_EQ(decoder.decode(first), Outcome::kNeedMore);

  const std::string second = first + "llo\r\n";
  ASSERT_EQ(decoder.decode(second), Outcome::kCommand);

  EXPECT_THAT(decoder.arguments(), ElementsAre("SET", "k", "hello"));
  EXPECT_EQ(decoder.consumed(), second.size());
}

TEST(CommandDecoder, SaysHowManyBytesAnArgumentStillNeeds) {
  CommandDecoder decoder;

  ASSERT_EQ(decoder.decode("*2\r\n$3\r\nGET\r\n$100\r\nabc"), Outcome::kNeedMore);

  EXPECT_EQ(decoder.needed(), 97 + 2);
}

TEST(CommandDecoder, PassesOverEmptyCommandsAndLetsThemGo) {
  CommandDecoder decoder;
  const std::string bytes = "*0\r\n*-1\r\n\r\n  \n*1\r\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kNeedMore);

  EXPECT_EQ(decoder.consumed(), 14U);
}

TEST(CommandDecoder, FindsACommandBehindEmptyOnes) {
  CommandDecoder decoder;
  const std::string bytes = "*0\r\n\r\n*1\r\n$4\r\nPING\r\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);

  EXPECT_THAT(decoder.arguments(), ElementsAre("PING"));
  EXPECT_EQ(decoder.consumed(), bytes.size());
}

TEST(CommandDecoder, TakesInlineCommandsBetweenOthers) {
  CommandDecoder decoder;
  std::string_view bytes = "SET k \"a b\"\r\n*1\r\n$4\r\nPING\r\nGET k\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);
  EXPECT_THAT(decoder.arguments(), ElementsAre("SET", "k", "a b"));
  bytes.remove_prefix(decoder.consumed());
  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);
  EXPECT_THAT(decoder.arguments(), ElementsAre("PING"));
  bytes.remove_prefix(decoder.consumed());
  ASSERT_EQ(decoder.decode(bytes), Outcome::kCommand);
  EXPECT_THAT(decoder.arguments(), ElementsAre("GET", "k"));
}

TEST(CommandDecoder, SpeaksRedisWordsAboutDamage) {
  EXPECT_EQ(error_of("*x\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*01\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*+1\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*1\rx"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*99999999999999999999\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n:1\r\n"), "Protocol error: expected '$', got ':'");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$abc\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("GET \"a\r\n"), "Protocol error: unbalanced quotes in request");
}

TEST(CommandDecoder, NoticesAnArgumentLongerThanItSaid) {
  EXPECT_EQ(error_of("*1\r\n$4\r\nPINGS\r\n"),
            "Protocol error: expected CRLF after an argument of 4 bytes");
}

TEST(CommandDecoder, RefusesWhatIsOverALimitBeforeItArrives) {
  EXPECT_EQ(error_of("*3\r\n", {.max_arguments = 2}),
            "Protocol error: invalid multibulk length: 3 arguments, the limit is 2");
  EXPECT_EQ(error_of("*1\r\n$11\r\n", {.max_argument = {10}}),
            "Protocol error: invalid bulk length: 11 bytes, the limit is 10");
  EXPECT_EQ(error_of("*2\r\n$5\r\nabcde\r\n$5\r\n", {.max_request = {25}}),
            "Protocol error: too big request: 26 bytes or more, the limit is 25");
  EXPECT_EQ(error_of("GET abcdef", {.max_inline = {9}}),
            "Protocol error: too big inline request: the limit is 9 bytes");
}

TEST(CommandDecoder, TellsWhichLimitARequestIsBeyond) {
  using Excess = CommandDecoder::Excess;
  const auto excess_of = [](std::string_view bytes, CommandLimits limits) {
    CommandDecoder decoder{limits};
    EXPECT_EQ(decoder.decode(bytes), CommandDecoder::Outcome::kError);
    return decoder.excess();
  };

  EXPECT_EQ(excess_of("*3\r\n", {.max_arguments = 2}), Excess::kArguments);
  EXPECT_EQ(excess_of("*1\r\n$11\r\n", {.max_argument = {10}}), Excess::kArgument);
  EXPECT_EQ(excess_of("*1\r\n$9\r\n", {.max_request = {10}}), Excess::kRequest);
  EXPECT_EQ(excess_of("*1\r\n$-1\r\n", {}), Excess::kNone);
  EXPECT_EQ(excess_of("*x\r\n", {}), Excess::kNone);
}

TEST(CommandDecoder, TakesWhatIsJustAtTheLimits) {
  const CommandLimits tight{
      .max_arguments = 2, .max_argument = {5}, .max_request = {26}, .max_inline = {9}};

  EXPECT_EQ(error_of("*2\r\n$5\r\nabcde\r\n$5\r\nfghij\r\n", tight), "");
  EXPECT_EQ(error_of("GET abcde\r\n", tight), "");
}

TEST(CommandDecoder, LimitsCanTightenWhileACommandIsOnItsWay) {
  CommandDecoder decoder;
  ASSERT_EQ(decoder.decode("*2\r\n$3\r\nGET\r\n"), Outcome::kNeedMore);

  decoder.set_limits({.max_argument = {4}});

  EXPECT_EQ(decoder.decode("*2\r\n$3\r\nGET\r\n$5\r\n"), Outcome::kError);
}

TEST(CommandDecoder, BeginsAnewAfterARewind) {
  const std::string whole = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
  CommandDecoder decoder;
  ASSERT_EQ(decoder.decode(whole.substr(0, 15)), Outcome::kNeedMore);
  decoder.rewind();
  ASSERT_EQ(decoder.decode(whole), Outcome::kCommand);
  EXPECT_EQ(decoder.arguments().size(), 2U);
  ASSERT_EQ(decoder.decode("*x"), Outcome::kError);

  decoder.rewind();

  EXPECT_EQ(decoder.decode(whole), Outcome::kCommand);
}

TEST(CommandDecoder, StaysBrokenAfterAnError) {
  CommandDecoder decoder;
  ASSERT_EQ(decoder.decode("*x"), Outcome::kError);

  EXPECT_EQ(decoder.decode("*1\r\n$4\r\nPING\r\n"), Outcome::kError);
  EXPECT_EQ(decoder.error(), "Protocol error: invalid multibulk length");
}

}  // namespace
}  // namespace larder::resp
