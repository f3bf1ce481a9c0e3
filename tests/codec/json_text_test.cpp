#include "larder/json_text.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <random>

namespace larder {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  return append_json_string(out, text) ? out : "not UTF-8";
}

std::string real(double number) {
  std::string out;
  return append_json_double(out, number) ? out : "no JSON";
}

TEST(JsonText, StringsAreEscapedAsRfc8259Asks) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("a\"\\/\b\f\n\r\t\x1f\x7f"), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f\"");
  EXPECT_EQ(quoted(std::string_view{"\0", 1}), R"("\u0000")");
  EXPECT_EQ(quoted("é€😀"), "\"é€😀\"");
}

TEST(JsonText, TextThatIsNotUtf8IsToldFromTextThatIs) {
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff", "\xc3("}) {
    EXPECT_EQ(quoted(bad), "not UTF-8");
    EXPECT_EQ(first_invalid_utf8(bad), 0U);
  }
  EXPECT_EQ(first_invalid_utf8("ok\xff"), 2U);
  EXPECT_EQ(first_invalid_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"), std::nullopt);
}

TEST(JsonText, RealsAreShortestAndStayReals) {
  EXPECT_EQ(real(3), "3.0");
  EXPECT_EQ(real(0.1), "0.1");
  EXPECT_EQ(real(1e300), "1e+300");
  EXPECT_EQ(real(-0.0), "-0.0");
  EXPECT_EQ(real(std::numeric_limits<double>::infinity()), "no JSON");
  EXPECT_EQ(real(std::numeric_limits<double>::quiet_NaN()), "no JSON");
}

TEST(JsonText, Base64FollowsRfc4648) {
  const auto coded = [](std::string_view text) {
    std::string out;
    append_base64(out, std::as_bytes(std::span{text}));
    return out;
  };

  EXPECT_EQ(coded(""), "");
  EXPECT_EQ(coded("f"), "Zg==");
  EXPECT_EQ(coded("fo"), "Zm8=");
  EXPECT_EQ(coded("foo"), "Zm9v");
  EXPECT_EQ(coded("foobar"), "Zm9vYmFy");
}

TEST(JsonText, Base64ThatNoEncoderWritesIsRefused) {
  for (const char* bad :
       {"A", "AA", "AAA", "A===", "====", "AA=A", "AB==", "AAB=", "A A=", "AA==AA=="}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

TEST(JsonText, RandomBytesSurviveBase64AndRandomTextSurvivesQuoting) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};

  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> bytes(random() % 50);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    std::string coded;
    append_base64(coded, bytes);
    EXPECT_EQ(decode_base64(coded), bytes);

    // Boost.JSON decides what is UTF-8, and what the quoted text means.
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    std::string out;
    if (append_json_string(out, text)) {
      EXPECT_EQ(boost::json::parse(out).as_string(), text);
      EXPECT_EQ(first_invalid_utf8(text), std::nullopt);
    } else {
      EXPECT_TRUE(first_invalid_utf8(text));
    }
  }
}

TEST(JsonText, ParsedRealsAreCorrectlyRounded) {
  // Halfway cases and long digits, which a quick parser gets wrong in the last bit.
  for (const char* text : {"0.1", "2.2250738585072011e-308", "9007199254740993.0",
                           "1.7976931348623158e308", "123456789012345678901234567890", "5e-324",
                           "0.000000000000000000000000000123456789012345678"}) {
    EXPECT_EQ(parse_json(text).value().as_double(), std::strtod(text, nullptr)) << text;
  }
}

TEST(JsonText, NestingBeyondTheLimitIsToldWithTheLimit) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };

  EXPECT_TRUE(check_json(nested(kJsonMaxDepth)));
  EXPECT_EQ(check_json(nested(kJsonMaxDepth + 1)).error().message,
            "not JSON that larder reads: more than 128 levels deep at byte 128");
}

TEST(JsonText, CheckingAgreesWithParsing) {
  for (const char* text : {"1", "[1,2]", " {\"a\":null} ", "\"x\"", "1e5", "[", "1 2", "",
                           "{\"a\"}", "[1,]", "01", "NaN"}) {
    EXPECT_EQ(check_json(text).has_value(), parse_json(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace larder
