#include "simulate/monitor_line.hpp"

#include <gmock/gmock.h>

namespace larder::simulate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string_view> keys(std::string_view line) {
  const auto parsed = parse_monitor_line(line);
  EXPECT_TRUE(parsed) << line;
  return parsed ? parsed->keys : std::vector<std::string_view>{};
}

TEST(MonitorLine, TellsWhenAndWhichKeyWasRead) {
  const auto line =
      parse_monitor_line("1732546800.250000 [0 127.0.0.1:60866] \"GET\" \"product:42\"");

  ASSERT_TRUE(line);
  EXPECT_DOUBLE_EQ(line->time, 1732546800.25);
  EXPECT_THAT(line->keys, ElementsAre("product:42"));
}

TEST(MonitorLine, KnowsReadsOfOneKeyAndOfMany) {
  EXPECT_THAT(keys(R"(1.5 [0 unix:/run/s] "mget" "a" "b" "c")"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(keys(R"(1.5 [0 lua] "hmget" "user:1" "name" "mail")"), ElementsAre("user:1"));
  EXPECT_THAT(keys(R"(1.5 [0 [::1]:6000] "GetRange" "page" "0" "9")"), ElementsAre("page"));
}

TEST(MonitorLine, HasNoKeysOfWritesAndOtherCommands) {
  EXPECT_THAT(keys(R"(1.5 [0 127.0.0.1:1] "set" "a" "get")"), IsEmpty());
  EXPECT_THAT(keys(R"(1.5 [0 127.0.0.1:1] "PING")"), IsEmpty());
}

TEST(MonitorLine, TakesEscapedQuotesForPartsOfAKey) {
  EXPECT_THAT(keys(R"(1.5 [0 127.0.0.1:1] "mget" "a\"] \"b" "c\\" "\xff")"),
              ElementsAre(R"(a\"] \"b)", R"(c\\)", R"(\xff)"));
}

TEST(MonitorLine, IsNothingElse) {
  for (const char* line : {"", "OK", "product:42", "1.5", "1.5 [0 127.0.0.1:1]", "1.5 [0 x] get a",
                           "x [0 127.0.0.1:1] \"get\" \"a\"", "1.5 [0 a] \"get"}) {
    EXPECT_FALSE(parse_monitor_line(line)) << line;
  }
}

}  // namespace
}  // namespace larder::simulate
