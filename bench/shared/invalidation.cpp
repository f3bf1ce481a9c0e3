// When has the last of 8 processes dropped from its memory what one has invalidated?
//
// Eight caches, each with a runtime, a memory tier and a backplane of its own, over one
// redis-server. The clock runs from when invalidate() has returned, which is when a writer
// would be told that its write is done, until the last memory tier has dropped the copy.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "bed.hpp"
#include "larder/cache.hpp"
#include "larder/thread_annotations.hpp"
#include "memory/report.hpp"
#include "question.hpp"

namespace larder::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kProcesses = 8;

// Counts who has heard. A cache is told before whoever listens after it.
class Ear final : public SharedListener {
 public:
  void invalidated(std::string_view) override {
    const MutexLock lock{mutex_};
    ++heard_;
    last_ = std::chrono::steady_clock::now();
    news_.notify_all();
  }
  void cleared() override {}

  // When so many had heard.
  TimePoint wait(std::size_t count) {
    const MutexLock lock{mutex_};
    while (heard_ < count) news_.wait(mutex_);
    heard_ -= count;
    return last_;
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::size_t heard_ LARDER_GUARDED_BY(mutex_) = 0;
  TimePoint last_ LARDER_GUARDED_BY(mutex_){};
};

struct MemoryOfOne {
  MemoryOfOne(const test::RedisServer& server, const std::shared_ptr<Ear>& ear)
      : sight{server},
        cache{sight.runtime(),
              {.source = [](const std::string& key) { return "value of " + key; },
               .shared = sight.copies()}} {
    sight.copies()->listen(ear);
  }
  Sight sight;
  Cache<std::string, std::string> cache;
};

}  // namespace

void answer_invalidation(const Effort& effort) {
  const test::RedisServer server;
  const auto ear = std::make_shared<Ear>();
  std::vector<std::unique_ptr<MemoryOfOne>> all;
  for (std::size_t i = 0; i < kProcesses; ++i) {
    all.push_back(std::make_unique<MemoryOfOne>(server, ear));
  }

  std::vector<std::chrono::duration<double, std::milli>> took;
  for (unsigned i = 0; i < effort.invalidations; ++i) {
    const std::string key = std::to_string(i % 100);
    for (const auto& each : all) (void)each->cache.get(key);
    all.front()->cache.invalidate(key);
    const TimePoint acknowledged = std::chrono::steady_clock::now();
    took.emplace_back(
        std::max<Duration>(ear->wait(kProcesses - 1) - acknowledged, Duration::zero()));
    for (const auto& each : all) {
      if (each->cache.peek(key)) std::fprintf(stderr, "bench_shared: a copy stayed\n");
    }
  }
  std::ranges::sort(took);
  const auto part = [&](double share) {
    return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))].count();
  };
  print_title("invalidation: from one process to the last of 8 memory tiers");
  std::printf("  p50 %.2f ms, p99 %.2f ms, most %.2f ms, of %zu\n", part(0.5), part(0.99), part(1),
              took.size());
  print_mark("p99, ms", part(0.99), "<=", 10);
}

}  // namespace larder::bench
