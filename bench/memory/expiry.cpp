// Do readers notice when a million entries expire in the same second, and is
// their memory back within a second?
//
// One thread reads, half of the time what expires, and times each read. Another
// gives memory back as larder's runtime does: 5,000 entries at a time, a
// millisecond apart while there are more.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "larder/memory_tier.hpp"
#include "question.hpp"
#include "report.hpp"
#include "workload.hpp"

namespace larder::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Tier = MemoryTier<std::uint64_t, std::string>;
constexpr TimePoint kStart{std::chrono::hours{1}};
constexpr std::uint64_t kStaying = 1000;

// Nanoseconds of each read until `over`. A clock reading is a part of them.
std::vector<std::uint32_t> time_reads(Tier& tier, const std::vector<std::uint64_t>& keys,
                                      Clock::time_point begin, const std::atomic<bool>& over) {
  constexpr std::size_t kMost = 50'000'000;
  std::vector<std::uint32_t> took;
  took.reserve(kMost);
  std::mt19937_64 random{1};
  Clock::time_point before = Clock::now();
  while (!over && took.size() < kMost) {
    const std::uint64_t draw = random();
    const std::uint64_t key = keys[draw % 2 == 0 ? draw / 2 % kStaying : draw / 2 % keys.size()];
    std::uint64_t seen = 0;
    tier.visit(key, kStart + (before - begin),
               [&](std::string_view value, const EntryInfo&) { seen = digest(value); });
    const Clock::time_point after = Clock::now();
    if (seen != 0 && seen != key) std::fprintf(stderr, "bench_memory: a value is wrong\n");
    took.push_back(static_cast<std::uint32_t>(
        std::min<Clock::rep>((after - before).count(), ~std::uint32_t{0})));
    before = after;
  }
  std::ranges::sort(took);
  return took;
}

void print_times(const char* when, const std::vector<std::uint32_t>& took) {
  if (took.empty()) return;
  const auto at = [&took](double share) {
    return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))];
  };
  std::printf("  %-34s %10zu reads, median %u ns, p99.9 %u ns, max %.3f ms\n", when, took.size(),
              at(0.5), at(0.999), static_cast<double>(took.back()) / 1e6);
}

void fill(Tier& tier, const std::vector<std::uint64_t>& keys) {
  std::mt19937_64 random{2};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::chrono::milliseconds within{random() % 1000};
    const TimePoint until = kStart + (i < kStaying ? std::chrono::hours{1} : within);
    const EntryInfo info{.filled_at = kStart, .fresh_until = until, .usable_until = until};
    const Value value = value_of(keys[i]);
    (void)tier.put(keys[i], bytes_of(value), info, kStart - std::chrono::minutes{1});
  }
}

}  // namespace

void answer_expiry(const Effort& effort) {
  constexpr std::size_t kSlice = 5000;
  const auto keys = make_keys(std::max<std::uint64_t>(effort.keys, 2 * kStaying));
  Tier tier{{.capacity = {keys.size() * 256}}};
  fill(tier, keys);
  const auto read_until_over = [&](auto&& meanwhile) {
    std::atomic<bool> over{false};
    std::vector<std::uint32_t> took;
    const Clock::time_point begin = Clock::now();
    {
      const std::jthread reader{[&] { took = time_reads(tier, keys, begin, over); }};
      meanwhile(begin);
      over = true;
    }
    return took;
  };

  double back = 0;
  const auto during = read_until_over([&](Clock::time_point begin) {
    for (;;) {
      const Clock::duration passed = Clock::now() - begin;
      const bool more = tier.expire(kStart + passed, kSlice) == kSlice;
      if (!more && passed > std::chrono::seconds{1}) break;
      std::this_thread::sleep_for(std::chrono::milliseconds{more ? 1 : 100});
    }
    back = std::chrono::duration<double>(Clock::now() - begin).count() - 1;
  });
  const MemoryStats stats = tier.stats();
  const auto afterwards = read_until_over(
      [](Clock::time_point) { std::this_thread::sleep_for(std::chrono::milliseconds{500}); });

  print_title("expiry: all but a thousand entries expire within the same second");
  print_times("while they expire", during);
  print_times("afterwards", afterwards);
  std::printf("  %llu expired, %llu stay\n", static_cast<unsigned long long>(stats.expirations),
              static_cast<unsigned long long>(stats.entries));
  print_mark("seconds from the last expiry until all memory is back", back, "<=", 1);
}

}  // namespace larder::bench
