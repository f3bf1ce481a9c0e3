// Does resident memory stay near the capacity while entries of mixed sizes come
// and go?
//
// Values from 16 bytes to 64 KiB, as many of each power of two. The mixture
// shifts: for a while all are small, then all are large, which is what fragments
// an allocator. A fifth of the entries expires before it is evicted. A put comes each
// 12.5 us of the tier's clock, whatever it takes here: so the figure is the same on a
// machine of any speed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "larder/memory_tier.hpp"
#include "question.hpp"
#include "report.hpp"
#include "resident.hpp"

namespace larder::bench {

namespace {

constexpr double kSmallest = 16;
constexpr double kLargest = 64 << 10;

constexpr std::chrono::nanoseconds kBetweenPuts{12'500};

// Draws sizes whose mixture shifts with the share of the run that is done.
class Sizes {
 public:
  std::size_t draw(double done) {
    const int phase = static_cast<int>(done * 12) % 4;
    const double from = phase == 3 ? 0.7 : 0;  // of the way from smallest to largest
    const double to = phase == 1 ? 0.3 : 1;
    const double at = from + (to - from) * uniform_(random_);
    return static_cast<std::size_t>(kSmallest * std::pow(kLargest / kSmallest, at));
  }
  std::uint64_t number() { return random_(); }

 private:
  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> uniform_;
};

}  // namespace

void answer_residency(const Effort& effort) {
  constexpr std::uint64_t kBatch = 500;
  const std::uint64_t capacity = effort.keys * 256;
  const auto puts = static_cast<std::uint64_t>(effort.churn / kBetweenPuts);
  const std::string bytes(static_cast<std::size_t>(kLargest), 'x');
  const std::uint64_t before = resident_bytes();
  MemoryTier<std::string, std::string> tier{{.capacity = {capacity}}};
  Sizes sizes;
  std::uint64_t most = 0;
  std::uint64_t most_held = 0;  // as the tier itself counts
  for (std::uint64_t put = 0; put < puts; put += kBatch) {
    const double done = static_cast<double>(put) / static_cast<double>(puts);
    const TimePoint at = TimePoint{std::chrono::hours{1}} + put * kBetweenPuts;
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      const bool brief = sizes.number() % 5 == 0;
      const TimePoint until = at + (brief ? std::chrono::milliseconds{50} : std::chrono::hours{1});
      const EntryInfo info{.filled_at = at, .fresh_until = until, .usable_until = until};
      (void)tier.put(std::to_string(sizes.number() % (effort.keys * 4)),
                     std::string_view{bytes}.substr(0, sizes.draw(done)), info, at);
    }
    tier.expire(at, 5000);
    most = std::max(most, resident_bytes() - before);
    most_held = std::max(most_held, tier.resident().bytes);
  }

  print_title("residency: churn of values from 16 B to 64 KiB");
  const MemoryStats stats = tier.stats();
  std::printf(
      "  %llu MiB, %llu puts in %.0f s of its clock, %llu evicted, %llu expired, %llu refused\n",
      static_cast<unsigned long long>(capacity >> 20), static_cast<unsigned long long>(puts),
      std::chrono::duration<double>{effort.churn}.count(),
      static_cast<unsigned long long>(stats.evictions),
      static_cast<unsigned long long>(stats.expirations),
      static_cast<unsigned long long>(stats.too_large) + stats.no_memory);
  const auto share = [capacity](std::uint64_t amount) {
    return static_cast<double>(amount) / static_cast<double>(capacity);
  };
  std::printf("  in use at the end: %.3f of the capacity; held at most, by its own count: %.3f\n",
              share(stats.bytes), share(most_held));
  print_mark("most that was resident / capacity", share(most), "<=", 1.1);
}

}  // namespace larder::bench
