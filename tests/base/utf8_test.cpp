#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(printable("NOPERM – kein Recht: „XADD“ \\ \"x\" 漢 😀"),
            "NOPERM – kein Recht: „XADD“ \\ \"x\" 漢 😀");
}

TEST(Printable, EscapesWhatSteersATerminalOrEndsALine) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\tc\x7f"), "a\\x1b[31mb\\r\\n\\tc\\x7f");
  EXPECT_EQ(printable(std::string_view{"\0", 1}), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // CSI in one character
}

TEST(Printable, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 3), "abc");
  EXPECT_EQ(printable("aé–x", 4), "aé–");
}

}  // namespace
}  // namespace larder
