#include "simulate/trace.hpp"

#include <gmock/gmock.h>
#include <zstd.h>

#include <sstream>
#include <vector>

namespace larder::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Result<Trace> read(const std::string& text) {
  std::istringstream in{text};
  return read_trace("-", in, 1ms);
}

std::string compressed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(Trace, NumbersKeysAsTheyComeUp) {
  const auto trace = read("tea\ncoffee\r\ntea");

  ASSERT_TRUE(trace);
  ASSERT_EQ(trace->accesses.size(), 3U);
  EXPECT_EQ(trace->keys, 2U);
  EXPECT_EQ(trace->accesses[2].key, trace->accesses[0].key);
  EXPECT_EQ(trace->accesses[2].at, 2ms);
}

TEST(Trace, TakesTimesAndBytes) {
  const auto trace = read("10,a,100\n11.5,b,7\n");

  ASSERT_TRUE(trace);
  EXPECT_TRUE(trace->has_bytes);
  EXPECT_EQ(trace->total_bytes, 107U);
  EXPECT_EQ(trace->accesses[1].at, 1500ms);
}

TEST(Trace, ReadsZstd) {
  const auto trace = read(compressed("a\nb\na\n"));

  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->accesses.size(), 3U);
}

TEST(Trace, RefusesZstdThatEndsInTheMiddle) {
  const std::string whole = compressed("a\nb\na\n");

  const auto trace = read(whole.substr(0, whole.size() - 3));

  ASSERT_FALSE(trace);
  EXPECT_NE(trace.error().message.find("ends in the middle"), std::string::npos);
}

TEST(Trace, SaysWhichLineIsNotLikeTheFirst) {
  const auto trace = read("1,a,100\n2,b\n");

  ASSERT_FALSE(trace);
  EXPECT_NE(trace.error().message.find("line 2"), std::string::npos);
}

// What read() says of a text that is no trace.
std::string refusal(const std::string& text) {
  const auto trace = read(text);
  return trace ? "none" : trace.error().message;
}

TEST(Trace, RefusesAnEmptyOne) {
  EXPECT_THAT(refusal(""), HasSubstr("no access"));
  EXPECT_THAT(refusal("\n"), HasSubstr("no access"));
  EXPECT_THAT(refusal("time,key,bytes\n"), HasSubstr("no access"));
}

TEST(Trace, PassesOverALineThatNamesItsColumns) {
  const auto trace = read("time,key,bytes\r\n10,a,100\n");

  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->accesses.size(), 1U);
  EXPECT_EQ(trace->total_bytes, 100U);
}

TEST(Trace, RefusesSizesAndTimesThatAreNone) {
  EXPECT_THAT(refusal("0,a,-1\n"), HasSubstr("line 1 is not `time,key,bytes` with whole bytes"));
  EXPECT_THAT(refusal("0,a,10\n1,b,1.5\n"),
              HasSubstr("line 2 is not `time,key,bytes` with whole bytes"));
  EXPECT_THAT(refusal("0,a,18446744073709551615\n"),
              HasSubstr("line 1 is not `time,key,bytes` with whole bytes"));
  EXPECT_THAT(refusal("nan,a,10\n"), HasSubstr("line 1 is not `time,key,bytes` with a time"));
  EXPECT_THAT(refusal("0,a,10\n1e300,a,10\n"), HasSubstr("line 2 is 30 years from the first"));
}

TEST(Trace, RefusesWhatIsNoText) {
  EXPECT_THAT(refusal(std::string(100'000, 'x')), HasSubstr("line 1 is longer than 64 KiB"));
  EXPECT_THAT(refusal("a\n" + std::string(70'000, 'x') + "\nb\n"),
              HasSubstr("line 2 is longer than 64 KiB"));
  EXPECT_THAT(refusal(std::string{"a\nb\0c\n", 6}), HasSubstr("line 2 holds a zero byte"));
  EXPECT_THAT(refusal("\x1F\x8B\x08"), HasSubstr("zcat FILE | larder simulate -"));
  EXPECT_THAT(refusal("\x28\xB5\x2F\xFD nonsense"), HasSubstr("zstd data is damaged"));
}

TEST(Trace, ReadsAllOfWhatIsMuchLargerThanItsZstd) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "the same key\n";

  const auto trace = read(compressed(text));

  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->accesses.size(), 400'000U);
}

// The decompressor's buffer is full just when the frame ends.
TEST(Trace, ReadsZstdOfAWholeNumberOfBuffers) {
  std::string text;
  while (text.size() < 2 * ZSTD_DStreamOutSize()) text += "a key of sixteen";
  for (std::size_t i = 15; i < text.size(); i += 16) text[i] = '\n';

  const auto trace = read(compressed(text));

  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->accesses.size(), text.size() / 16);
}

TEST(AccessList, GivesBackWhatItWasGiven) {
  const std::vector<std::vector<Access>> lists{
      {{7, 1, 0ms}, {8, 1, 5ms}, {7, 1, 10ms}},  // evenly, without sizes
      {{7, 1, 0ms}, {8, 1, 5ms}, {7, 1, 11ms}},
      {{7, 1, 0ms}, {8, 30, 5ms}, {7, 1, 10ms}},
      {{7, 20, 3ms}, {8, 1, 4ms}, {7, 9, 4ms}},
  };

  for (const auto& list : lists) {
    AccessList accesses;
    for (const Access& access : list) accesses.push_back(access);

    ASSERT_EQ(accesses.size(), list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      EXPECT_EQ(accesses[i].key, list[i].key);
      EXPECT_EQ(accesses[i].bytes, list[i].bytes);
      EXPECT_EQ(accesses[i].at, list[i].at);
    }
  }
}

TEST(Trace, ASampleHasAllAccessesOfItsKeys) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i % 1000) + "\n";
  const auto trace = read(text);

  const Trace tenth = sample(*trace, 0.1);

  EXPECT_NEAR(static_cast<double>(tenth.keys), 100, 40);
  EXPECT_EQ(tenth.accesses.size(), tenth.keys * 10);
}

}  // namespace
}  // namespace larder::simulate
