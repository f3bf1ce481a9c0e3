// Does resident memory stay near the capacity while entries of mixed sizes come
// and go?
//
// Values from 16 bytes to 64 KiB, as many of each power of two. The mixture
// shifts: for a while all are small, then all are large, which is what fragments
// an allocator. A fifth of the entries expires before it is evicted.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>

#include "larder/memory_tier.hpp"
#include "question.hpp"
#include "report.hpp"

namespace larder::bench {

namespace {

constexpr double kSmallest = 16;
constexpr double kLargest = 64 << 10;

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

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
  const std::uint64_t capacity = effort.keys * 256;
  const std::string bytes(static_cast<std::size_t>(kLargest), 'x');
  const std::uint64_t before = resident_bytes();
  MemoryTier<std::string, std::string> tier{{.capacity = {capacity}}};
  Sizes sizes;
  std::uint64_t most = 0;
  std::uint64_t puts = 0;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  for (Clock::time_point now = begin; now - begin < effort.churn; now = Clock::now()) {
    constexpr int kBatch = 500;
    const double done = std::chrono::duration<double>{now - begin} / effort.churn;
    const TimePoint at = TimePoint{std::chrono::hours{1}} + (now - begin);
    for (int i = 0; i < kBatch; ++i) {
      const bool brief = sizes.number() % 5 == 0;
      const TimePoint until = at + (brief ? std::chrono::milliseconds{50} : std::chrono::hours{1});
      const EntryInfo info{.filled_at = at, .fresh_until = until, .usable_until = until};
      (void)tier.put(std::to_string(sizes.number() % (effort.keys * 4)),
                     std::string_view{bytes}.substr(0, sizes.draw(done)), info, at);
    }
    puts += kBatch;
    tier.expire(at, 5000);
    most = std::max(most, resident_bytes() - before);
  }

  print_title("residency: churn of values from 16 B to 64 KiB");
  const MemoryStats stats = tier.stats();
  std::printf("  %llu MiB, %.0f s, %llu puts, %llu evicted, %llu expired, %llu refused\n",
              static_cast<unsigned long long>(capacity >> 20),
              std::chrono::duration<double>{effort.churn}.count(),
              static_cast<unsigned long long>(puts),
              static_cast<unsigned long long>(stats.evictions),
              static_cast<unsigned long long>(stats.expirations),
              static_cast<unsigned long long>(stats.too_large) + stats.no_memory);
  const auto share = [capacity](std::uint64_t amount) {
    return static_cast<double>(amount) / static_cast<double>(capacity);
  };
  std::printf("  in use at the end: %.2f of the capacity\n", share(stats.bytes));
  print_mark("most that was resident / capacity", share(most), "<=", 1.1);
}

}  // namespace larder::bench
