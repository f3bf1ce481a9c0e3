#include "demo/comparison.hpp"

#include <gmock/gmock.h>

#include <sstream>
#include <vector>

namespace larder::demo {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Way way(std::uint64_t pages, std::uint64_t queries, Duration latency) {
  Way result{.fastest = {.pages = pages,
                         .queries = queries,
                         .took = 2s,
                         .serving = latency * static_cast<int>(pages) / 2},
             .paced = {}};
  for (std::uint64_t i = 0; i < 100; ++i) result.paced.latencies.record(latency);
  return result;
}

Comparison example() {
  return {.alone = way(2'000, 2'000, 400us),
          .server = way(12'000, 120, 100us),
          .library = way(80'000, 160, 2us),
          .pace = 700};
}

TEST(Comparison, EveryLineHasItsColumnsUnderEachOther) {
  std::istringstream table{to_table(example())};
  std::vector<std::string> lines;
  for (std::string line; std::getline(table, line);) lines.push_back(line);

  ASSERT_EQ(lines.size(), 11U);
  const std::size_t alone = lines[0].find("SQLite alone") + std::string{"SQLite alone"}.size();
  EXPECT_EQ(lines[1].find("1,000") + 5, alone);
  EXPECT_EQ(lines[3].find("1,000") + 5, alone);
}

TEST(Comparison, ShowsRatesAndRatios) {
  const std::string table = to_table(example());

  EXPECT_THAT(table, HasSubstr("6,000"));
  EXPECT_THAT(table, HasSubstr("6.0 x"));
  EXPECT_THAT(table, HasSubstr("40 x"));
  EXPECT_THAT(table, HasSubstr("99.0 %"));
  EXPECT_THAT(table, HasSubstr("200 µs"));  // of CPU: half of the latency
  EXPECT_THAT(table, HasSubstr("at 700 pages per second"));
}

TEST(Comparison, SaysItInWords) {
  const std::string words = to_sentences(example());

  EXPECT_THAT(words, HasSubstr("6.0 times"));
  EXPECT_THAT(words, HasSubstr("99.0 %"));
  EXPECT_THAT(words, HasSubstr("40 times"));
}

TEST(Comparison, RunsWithoutAnyPageAreNoReasonToDivideByZero) {
  EXPECT_THAT(to_table({}), HasSubstr("pages per second"));
  EXPECT_THAT(to_sentences({}), HasSubstr("0.0 times"));
}

TEST(Comparison, GroupsDigitsByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

TEST(Comparison, WritesDurationsWithThreeDigits) {
  EXPECT_EQ(short_text(0ns), "0 ns");
  EXPECT_EQ(short_text(999ns), "999 ns");
  EXPECT_EQ(short_text(1'234ns), "1.23 µs");
  EXPECT_EQ(short_text(56'700ns), "56.7 µs");
  EXPECT_EQ(short_text(999'600ns), "1.00 ms");
  EXPECT_EQ(short_text(5s), "5.00 s");
}

}  // namespace
}  // namespace larder::demo
