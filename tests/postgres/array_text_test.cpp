#include "postgres/array_text.hpp"

#include <gtest/gtest.h>

#include <random>

namespace larder {
namespace {

std::string read(std::string_view text) {
  std::string out;
  const auto done = append_array(out, text, ',', [&](std::string_view element) -> Result<void> {
    (out += '<') += element;
    out += '>';
    return {};
  });
  return done ? out : "no array";
}

TEST(PostgresArray, IsReadElementByElement) {
  EXPECT_EQ(read("{}"), "[]");
  EXPECT_EQ(read("{1,2}"), "[<1>,<2>]");
  EXPECT_EQ(read("{NULL,\"NULL\",\"\"}"), "[null,<NULL>,<>]");
  EXPECT_EQ(read(R"({"a,b","c\"d\\e"})"), R"([<a,b>,<c"d\e>])");
  EXPECT_EQ(read("{{1,2},{3,4}}"), "[[<1>,<2>],[<3>,<4>]]");
  EXPECT_EQ(read("[0:1]={7,8}"), "[<7>,<8>]");
}

TEST(PostgresArray, WhatIsNoneIsRefused) {
  for (const char* bad : {"", "{", "1", "{1", "{1,}", "{,1}", "{1}2", "{\"a}", "{\"a\\", "[0:1]",
                          "{{1}", "{1}}", "{{{{{{{1}}}}}}}", "{1}{2}", "{a\"b}x"}) {
    EXPECT_EQ(read(bad), "no array") << bad;
  }
}

TEST(PostgresArray, WhatIsWrittenIsReadBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr std::string_view kLetters = "a\"\\{},NULL ";
  for (int round = 0; round < 1000; ++round) {
    std::string array = "{";
    std::string wanted = "[";
    for (unsigned i = 0; i < random() % 4 + 1; ++i) {
      std::string element;
      for (unsigned n = random() % 6; n > 0; --n) element += kLetters[random() % kLetters.size()];
      if (i > 0) array += ',', wanted += ',';
      append_array_element(array, element);
      ((wanted += '<') += element) += '>';
    }
    EXPECT_EQ(read(array + '}'), wanted + ']');
  }
}

TEST(PostgresArray, AnyBytesEndWithoutHarm) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr std::string_view kLetters = "a\"\\{},=[";
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (unsigned n = random() % 12; n > 0; --n) text += kLetters[random() % kLetters.size()];
    (void)read(text);
  }
}

}  // namespace
}  // namespace larder
