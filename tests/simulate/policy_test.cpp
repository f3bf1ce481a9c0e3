#include "simulate/policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <ostream>
#include <random>
#include <sstream>

#include "simulate/plot.hpp"
#include "simulate/replay.hpp"

namespace larder::simulate {

// How a test's parameter is shown.
static void PrintTo(const PolicyKind& kind, std::ostream* out) { *out << kind.name; }

namespace {

using namespace std::chrono_literals;

Trace loop(KeyId keys, int rounds) {
  Trace trace{.accesses = {}, .keys = keys, .total_bytes = keys};
  for (int round = 0; round < rounds; ++round) {
    for (KeyId key = 0; key < keys; ++key) {
      trace.accesses.push_back({key, 1, 1s * static_cast<int>(trace.accesses.size())});
    }
  }
  return trace;
}

class EachPolicy : public testing::TestWithParam<PolicyKind> {};

TEST_P(EachPolicy, MissesEachKeyOnceWhenAllFit) {
  const Trace trace = loop(100, 10);

  const Ratios ratios = Replay{trace, {}}.run(GetParam(), 120);

  EXPECT_NEAR(ratios.hits, 0.9, 0.021);  // W-TinyLFU's window and LIRS's queue cost a little
}

TEST_P(EachPolicy, IsNoBetterThanTheOptimum) {
  const Trace trace = loop(100, 20);
  const Replay replay{trace, {}};

  const double optimum = replay.run(*find_policy("belady"), 40).hits;

  EXPECT_LE(replay.run(GetParam(), 40).hits, optimum);
}

TEST_P(EachPolicy, CountsWhatHasExpiredAsAMiss) {
  const Trace trace = loop(10, 10);  // each key every ten seconds

  const Ratios ratios = Replay{trace, {.ttl = 5s}}.run(GetParam(), 20);

  EXPECT_EQ(ratios.hits, 0);
}

std::string test_name(const testing::TestParamInfo<PolicyKind>& info) {
  std::string name{info.param.name};
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Policies, EachPolicy,
                         testing::ValuesIn(policies().begin(), policies().end()), test_name);

TEST(LarderPolicy, KeepsAPartOfALoopThatDoesNotFit) {
  const Trace trace = loop(1000, 50);

  const double hits = Replay{trace, {}}.run(*find_policy("larder"), 500).hits;

  EXPECT_GT(hits, 0.4);
}

// The window's ghosts come back soon, but a larger window would take from main what it gains.
TEST(LarderPolicy, KeepsNearlyAllOfALoopThatNearlyFits) {
  const Trace trace = loop(1050, 50);

  const double hits = Replay{trace, {}}.run(*find_policy("larder"), 1000).hits;

  EXPECT_GT(hits, 0.9);  // the optimum is 0.93
}

TEST(LarderPolicy, KeepsAPartOfALoopThatComesAfterWhatTheWindowWasGoodFor) {
  constexpr KeyId kPairs = 10'000;  // of reads, 500 keys apart
  constexpr KeyId kLoop = 1'500;
  Trace trace{.accesses = {}, .keys = kPairs + kLoop, .total_bytes = kPairs + kLoop};
  const auto read = [&](KeyId key) { trace.accesses.push_back({key, 1, 0ms}); };
  for (KeyId key = 0; key < kPairs; ++key) {
    read(key);
    if (key >= 500) read(key - 500);
  }
  const std::size_t before = trace.accesses.size();
  for (KeyId i = 0; i < 20 * kLoop; ++i) read(kPairs + i % kLoop);

  const auto policy = find_policy("larder")->make({.capacity = 1000, .trace = &trace});
  std::size_t hits = 0;
  std::size_t index = 0;
  for (const Access& access : trace.accesses) {
    hits += policy->access(access) && index >= before;
    ++index;
  }

  EXPECT_GT(static_cast<double>(hits) / (20 * kLoop), 0.4);  // the optimum is 0.63
}

// What is large and never read again must not take the room of what comes after it.
TEST(LarderPolicy, WhatIsLargeProvesItselfWhileItFillsFirst) {
  Trace trace{.accesses = {}, .keys = 0, .total_bytes = 0, .has_bytes = true};
  const auto read = [&](KeyId first, KeyId keys, std::uint64_t bytes) {
    for (KeyId key = first; key < first + keys; ++key) trace.accesses.push_back({key, bytes, 0ms});
  };
  read(0, 50, 2);
  read(50, 20, 90);
  for (int round = 0; round < 10; ++round) read(70, 6, 90);
  trace.keys = 76;

  const double hits = Replay{trace, {}}.run(*find_policy("larder"), 1000).hits;

  EXPECT_EQ(hits * static_cast<double>(trace.accesses.size()), 9 * 6);
}

// Popular keys among many that are hardly asked for, and now and then a scan.
Trace mixed_traffic(std::uint64_t seed) {
  constexpr KeyId kKeys = 200'000;
  constexpr KeyId kScan = 20'000;
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<double> uniform;
  Trace trace{.accesses = {}, .keys = kKeys + kScan, .total_bytes = kKeys + kScan};
  for (KeyId i = 0; i < 1'500'000; ++i) {
    // Places whose weight falls with the 0.7th power.
    const double place = std::pow(uniform(random), 1 / 0.3) * kKeys;
    const bool scans = i % 500'000 < kScan;
    const KeyId key = scans ? kKeys + i % 500'000 : static_cast<KeyId>(place);
    trace.accesses.push_back({key, 1, 1ms * static_cast<int>(i)});
  }
  return trace;
}

TEST(Replay, OfATenthOfTheKeysGivesTheFullCurveWithinAHundredth) {
  const Trace trace = mixed_traffic(1);
  const Replay full{trace, {}};
  const Replay sampled{trace, {.share = 0.1}};

  ASSERT_LT(sampled.accesses(), full.accesses() / 5);
  for (const char* policy : {"larder", "lru"}) {
    for (const std::uint64_t capacity : {6'000U, 20'000U, 60'000U}) {
      EXPECT_NEAR(sampled.run(*find_policy(policy), capacity).hits,
                  full.run(*find_policy(policy), capacity).hits, 0.01)
          << policy << " at " << capacity;
    }
  }
}

TEST(Replay, FindsTheCapacityThatAHitRatioNeeds) {
  const Trace trace = loop(1000, 10);

  const auto capacity = Replay{trace, {}}.capacity_for(*find_policy("lru"), 0.85);

  ASSERT_TRUE(capacity);
  EXPECT_NEAR(static_cast<double>(*capacity), 1000, 10);  // of a loop LRU keeps all or nothing
}

TEST(Replay, SaysWhenNoCapacitySuffices) {
  const Trace trace = loop(1000, 2);

  const auto capacity = Replay{trace, {}}.capacity_for(*find_policy("lru"), 0.6);

  EXPECT_EQ(capacity, std::nullopt);
}

TEST(Plot, NamesItsCurvesAndEscapesThem) {
  const std::vector<Curve> curves{{"lru", {{10, 0.9}, {100, 0.5}}}};

  const std::string svg = plot_svg("a<b", "entries", curves);

  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_NE(svg.find(">lru<"), std::string::npos);
  EXPECT_NE(svg.find("polyline"), std::string::npos);
}

// The traces that come beside the checkout, where they do.
struct Point {
  const char* trace;
  std::uint64_t capacity;
  double best_peer;  // of LRU, 2Q, ARC, LIRS, S3-FIFO and SIEVE, percent
};
constexpr Point kPoints[] = {
    {"cache2k-web07", 204, 43.79},      {"cache2k-web07", 1024, 54.22},
    {"cache2k-web07", 4096, 62.82},     {"cache2k-orm-night", 864, 66.49},
    {"cache2k-orm-night", 4323, 89.31}, {"cache2k-orm-night", 17293, 95.96},
    {"corda-vault", 904, 33.33},        {"corda-vault", 4523, 33.33},
    {"corda-vault", 18093, 33.33},      {"lirs-2_pools", 99, 47.70},
    {"lirs-2_pools", 496, 51.90},       {"lirs-2_pools", 1987, 59.28},
    {"lirs-multi1", 26, 6.57},          {"lirs-multi1", 130, 45.53},
    {"lirs-multi1", 521, 56.44},        {"lirs-multi2", 56, 12.90},
    {"lirs-multi2", 284, 37.03},        {"lirs-multi2", 1136, 59.45},
    {"lirs-multi3", 74, 15.17},         {"lirs-multi3", 372, 37.29},
    {"lirs-multi3", 1490, 56.68},       {"lirs-sprite", 70, 21.24},
    {"lirs-sprite", 353, 67.18},        {"lirs-sprite", 1415, 92.21}};

TEST(LarderPolicy, BeatsTheBestPeerOfEachPointInTheMeanAndIsNowhereFarBehind) {
  if (!std::filesystem::exists(SHARED_TRACES)) {
    GTEST_SKIP() << "the traces are not at " << SHARED_TRACES;
  }
  double sum = 0;
  std::string last;
  Trace trace;
  for (const Point& point : kPoints) {
    if (last != point.trace) {
      std::istringstream no_input;
      last = point.trace;
      auto read = read_trace(std::string{SHARED_TRACES "/"} + last + ".txt.zst", no_input, 1ms);
      ASSERT_TRUE(read) << read.error().message;
      trace = std::move(*read);
    }

    const double hits = 100 * Replay{trace, {}}.run(*find_policy("larder"), point.capacity).hits;

    sum += hits;
    if (point.capacity >= 200) {
      EXPECT_GT(hits, point.best_peer - 3) << point.trace << " at " << point.capacity;
    }
  }
  EXPECT_GT(sum / std::size(kPoints), 50.3);
}

TEST(LarderPolicy, AnswersMoreOfACdnsBytesThanAnyPeer) {
  constexpr const char* kTrace = SHARED_TRACES "/adaptsize-cdn.csv.zst";
  if (!std::filesystem::exists(kTrace)) GTEST_SKIP() << "the trace is not at " << kTrace;
  std::istringstream no_input;
  const auto trace = read_trace(kTrace, no_input, 1ms);
  ASSERT_TRUE(trace) << trace.error().message;

  for (const double share : {0.01, 0.05, 0.2}) {
    const auto capacity =
        static_cast<std::uint64_t>(share * static_cast<double>(trace->total_bytes));
    const double own = Replay{*trace, {}}.run(*find_policy("larder"), capacity).bytes;

    for (const PolicyKind& peer : policies()) {
      if (peer.name == "larder" || peer.name == "belady") continue;
      const double bytes = Replay{*trace, {}}.run(peer, capacity).bytes;
      EXPECT_GT(own, bytes) << peer.name << " at " << share;
    }
  }
}

}  // namespace
}  // namespace larder::simulate
