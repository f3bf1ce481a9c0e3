#include "server/slow_log.hpp"

#include <gmock/gmock.h>

#include "server/latency_graph.hpp"
#include "server/latency_histogram.hpp"
#include "server/rate_meter.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

std::vector<std::string> cut(const std::vector<std::string>& words) {
  return SlowLog::cut(std::vector<std::string_view>{words.begin(), words.end()});
}

TEST(SlowLog, KeepsTheNewest) {
  SlowLog log;
  for (int i = 0; i < 5; ++i) log.add({.words = {std::to_string(i)}}, 3);

  const auto entries = log.latest(10);

  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].words[0], "4");
  EXPECT_EQ(entries[2].words[0], "2");
  EXPECT_EQ(entries[0].id, 4U);
  EXPECT_EQ(log.latest(1).size(), 1U);
}

TEST(SlowLog, NumbersGoOnAfterItWasCleared) {
  SlowLog log;
  log.add({}, 3);
  log.clear();
  log.add({}, 3);

  EXPECT_EQ(log.latest(10).at(0).id, 1U);
}

TEST(SlowLog, LongWordsAreCut) {
  EXPECT_THAT(
      cut({"SET", std::string(128, 'k'), std::string(130, 'v')}),
      ElementsAre("SET", std::string(128, 'k'), std::string(128, 'v') + "... (2 more bytes)"));
}

TEST(SlowLog, ManyWordsAreCut) {
  EXPECT_EQ(cut(std::vector<std::string>(32, "k")).back(), "k");

  const auto words = cut(std::vector<std::string>(40, "k"));

  EXPECT_EQ(words.size(), 32U);
  EXPECT_EQ(words.back(), "... (9 more arguments)");
}

TEST(LatencyGraph, DrawsAColumnForEachSpikeAndSaysWhen) {
  const std::vector<SlowLog::Spike> spikes{{100s, 10ms}, {101s, 60ms}, {9990s, 35ms}};

  EXPECT_EQ(latency_graph("command", spikes, 70ms, 10000s),
            "command - high 60 ms, low 10 ms (all time high 70 ms)\n" + std::string(80, '-') +
                "\n"
                " # \n"
                " |_\n"
                " ||\n"
                "_||\n"
                "   \n"
                "221\n"
                "hh0\n"
                "  s\n");
}

TEST(LatencyGraph, ContinuesBelowWhatIsWiderThanEightyColumns) {
  const std::vector<SlowLog::Spike> spikes(81, {100s, 10ms});

  EXPECT_THAT(latency_graph("command", spikes, 10ms, 100s),
              ::testing::EndsWith(std::string(80, '_') + "\n" + std::string(80, ' ') + "\n" +
                                  std::string(80, '0') + "\n" + std::string(80, 's') +
                                  "\n \n \n \n_\n \n0\ns\n"));
}

TEST(LatencyHistogram, EachStepBeginsBehindTheLast) {
  for (std::size_t step = 0; step + 1 < kLatencySteps; ++step) {
    EXPECT_EQ(latency_step(end_of_latency_step(step)), step);
    EXPECT_EQ(latency_step(end_of_latency_step(step) + 1), step + 1);
  }
  EXPECT_EQ(latency_step(0), 0U);
  EXPECT_EQ(latency_step(~std::uint64_t{0}), kLatencySteps - 1);
}

TEST(LatencyHistogram, APercentileIsTheEndOfItsStep) {
  LatencySteps steps{};
  steps[2] = 989;
  steps[7] = 10;
  steps[20] = 1;

  EXPECT_EQ(latency_percentile(steps, 0.5), end_of_latency_step(2));
  EXPECT_EQ(latency_percentile(steps, 0.99), end_of_latency_step(7));
  EXPECT_EQ(latency_percentile(steps, 0.999), end_of_latency_step(7));
  EXPECT_EQ(latency_percentile(steps, 1), end_of_latency_step(20));
}

TEST(SlowLog, RemembersTheSlowestOfEachSecond) {
  SlowLog log;
  log.add({.at = 100s, .took = 20ms}, 3);
  log.add({.at = 100s, .took = 50ms}, 3);
  log.add({.at = 100s, .took = 30ms}, 3);
  log.add({.at = 101s, .took = 10ms}, 3);

  const auto spikes = log.spikes();

  ASSERT_EQ(spikes.size(), 2U);
  EXPECT_EQ(spikes[0].took, 50ms);
  EXPECT_EQ(spikes[1].took, 10ms);
  EXPECT_EQ(log.worst(), 50ms);
  EXPECT_TRUE(log.clear_spikes());
  EXPECT_FALSE(log.clear_spikes());
  EXPECT_EQ(log.size(), 3U);
}

TEST(SlowLog, RemembersABoundedNumberOfSeconds) {
  SlowLog log;
  for (int i = 0; i < 1000; ++i) log.add({.at = std::chrono::seconds{i}}, 3);

  EXPECT_EQ(log.spikes().size(), 160U);
  EXPECT_EQ(log.spikes().back().at, 999s);
}

TEST(RateMeter, TellsTheGrowthSinceTheLastLook) {
  const TimePoint start{};
  RateMeter<2> meter{start};

  EXPECT_THAT(meter.look({100, 4}, start + 2s), ElementsAre(50, 2));
  EXPECT_THAT(meter.look({1000, 4}, start + 2500ms), ElementsAre(50, 2));  // too soon
  EXPECT_THAT(meter.look({1000, 4}, start + 3s), ElementsAre(900, 0));
}

}  // namespace
}  // namespace larder::test
