#include "simulate/trace.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <sstream>

namespace larder::simulate {
namespace {

using namespace std::chrono_literals;

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

TEST(Trace, RefusesAnEmptyOne) { EXPECT_FALSE(read("\n")); }

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
