#include "base/quantity.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <random>

namespace larder {
namespace {

using namespace std::chrono_literals;
using namespace larder::literals;
using testing::HasSubstr;

std::string why_no_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  return duration ? "it is " + format_duration(*duration) : duration.error().message;
}

std::string why_no_size(std::string_view text) {
  const auto size = parse_bytes(text);
  return size ? "it is " + format_bytes(*size) : size.error().message;
}

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_duration("250ms"), Duration{250ms});
  EXPECT_EQ(parse_duration("5m"), Duration{5min});
  EXPECT_EQ(parse_duration("1h30m"), Duration{90min});
  EXPECT_EQ(parse_duration("90s"), Duration{90s});
  EXPECT_EQ(parse_duration("1d"), Duration{24h});
  EXPECT_EQ(parse_duration("15us"), Duration{15us});
  EXPECT_EQ(parse_duration("0s"), Duration{0});
}

TEST(Duration, ReadsDecimalFractionsExactly) {
  EXPECT_EQ(parse_duration("1.5s"), Duration{1500ms});
  EXPECT_EQ(parse_duration("0.1d"), Duration{144min});
  EXPECT_EQ(parse_duration("1.000000001s"), Duration{1'000'000'001ns});
}

TEST(Duration, RefusesABareNumberAndSaysWhatCouldBeMeant) {
  EXPECT_EQ(why_no_duration("300"),
            "has no unit; write \"300s\" for seconds or \"300ms\" for milliseconds");
  EXPECT_EQ(why_no_duration("1h30"),
            "has no unit; write \"1h30s\" for seconds or \"1h30ms\" for milliseconds");
}

TEST(Duration, SaysHowAnotherSpellingIsWrittenHere) {
  EXPECT_EQ(why_no_duration("5min"), "should be written \"5m\"");
  EXPECT_EQ(why_no_duration("5 minutes"), "should be written \"5m\"");
  EXPECT_EQ(why_no_duration("2H"), "should be written \"2h\"");
  EXPECT_EQ(why_no_duration("5 s"), "has a space before its unit; write \"5s\"");
}

TEST(Duration, RefusesNonsense) {
  EXPECT_EQ(why_no_duration(""), "is empty");
  EXPECT_THAT(why_no_duration("5x"), HasSubstr("unknown unit \"x\""));
  EXPECT_THAT(why_no_duration("fast"), HasSubstr("does not begin with a number"));
  EXPECT_THAT(why_no_duration("-5s"), HasSubstr("negative"));
  EXPECT_THAT(why_no_duration("30m1h"), HasSubstr("largest unit comes first"));
  EXPECT_THAT(why_no_duration("1s1s"), HasSubstr("each once"));
  EXPECT_THAT(why_no_duration("1.s"), HasSubstr("no digit after the point"));
  EXPECT_THAT(why_no_duration("0.5ns"), HasSubstr("finer than one nanosecond"));
  EXPECT_THAT(why_no_duration("1h "), HasSubstr("does not begin with a number"));
}

TEST(Duration, RefusesWhatOverflows) {
  EXPECT_EQ(why_no_duration("106752d"), "is longer than 292 years");
  EXPECT_EQ(why_no_duration("106751d24h"), "is longer than 292 years");
  EXPECT_EQ(why_no_duration("99999999999999999999s"), "is more than can be counted");
  EXPECT_EQ(why_no_duration("18446744073709551615d"), "is more than can be counted");
  EXPECT_THAT(why_no_duration("0.0000000000000000000000001s"), HasSubstr("more digits"));
}

TEST(Duration, PrintsExactly) {
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(1500ms), "1s500ms");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
}

TEST(Duration, IsReadBackAsItWasPrinted) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int i = 0; i < 10'000; ++i) {
    const auto bits = random() % 63;
    const auto count = static_cast<Duration::rep>(random() & ((1ULL << bits) - 1));
    const Duration duration{count};

    EXPECT_EQ(parse_duration(format_duration(duration)), duration) << format_duration(duration);
  }
  const Duration most{std::numeric_limits<Duration::rep>::max()};
  EXPECT_EQ(parse_duration(format_duration(most)), most);
}

TEST(Duration, AtAGlanceHasThreeDigits) {
  EXPECT_EQ(approximate_duration(1'234'567'891ns), "1.23s");
  EXPECT_EQ(approximate_duration(12'345us), "12.3ms");
  EXPECT_EQ(approximate_duration(412us), "412us");
  EXPECT_EQ(approximate_duration(999'999ns), "999us");
  EXPECT_EQ(approximate_duration(7ns), "7ns");
  EXPECT_EQ(approximate_duration(1h + 30min + 5s), "1h30m");
  EXPECT_EQ(approximate_duration(76h), "3d4h");
  EXPECT_EQ(approximate_duration(24h), "1d");
  EXPECT_EQ(approximate_duration(0s), "0s");
  EXPECT_EQ(approximate_duration(-5s), "-5.00s");
}

TEST(Size, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_bytes("64MiB"), 64_MiB);
  EXPECT_EQ(parse_bytes("64MB"), ByteCount{64'000'000});
  EXPECT_EQ(parse_bytes("1GiB"), 1_GiB);
  EXPECT_EQ(parse_bytes("512KiB"), 512_KiB);
  EXPECT_EQ(parse_bytes("100B"), 100_B);
  EXPECT_EQ(parse_bytes("1.5GiB"), ByteCount{3ULL << 29});
  EXPECT_EQ(parse_bytes("2kB"), ByteCount{2000});
}

TEST(Size, RefusesABareNumberAndSaysWhatCouldBeMeant) {
  EXPECT_EQ(why_no_size("64"), "has no unit; write \"64MiB\" or \"64B\"");
}

TEST(Size, SaysHowAnotherSpellingIsWrittenHere) {
  EXPECT_EQ(why_no_size("64M"), "should be written \"64MiB\"");
  EXPECT_EQ(why_no_size("64mb"), "should be written \"64MiB\"");
  EXPECT_EQ(why_no_size("64 MiB"), "has a space before its unit; write \"64MiB\"");
}

TEST(Size, RefusesNonsenseAndOverflow) {
  EXPECT_EQ(why_no_size(""), "is empty");
  EXPECT_THAT(why_no_size("big"), HasSubstr("does not begin with a number"));
  EXPECT_THAT(why_no_size("-1B"), HasSubstr("negative"));
  EXPECT_THAT(why_no_size("1XB"), HasSubstr("unknown unit \"XB\""));
  EXPECT_THAT(why_no_size("0.5B"), HasSubstr("finer than one byte"));
  EXPECT_EQ(why_no_size("16777216TiB"), "is more than can be counted");
  EXPECT_EQ(why_no_size("18446744073709551616B"), "is more than can be counted");
}

TEST(Size, IsReadBackAsItWasPrinted) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int i = 0; i < 10'000; ++i) {
    const ByteCount size{(random() >> (random() % 64)) << (random() % 20)};

    EXPECT_EQ(parse_bytes(format_bytes(size)), size) << format_bytes(size);
  }
  EXPECT_EQ(format_bytes(64_MiB), "64MiB");
  EXPECT_EQ(format_bytes({64'000'000}), "64MB");
  EXPECT_EQ(format_bytes({12'345}), "12345B");
  EXPECT_EQ(format_bytes({0}), "0B");
}

}  // namespace
}  // namespace larder
