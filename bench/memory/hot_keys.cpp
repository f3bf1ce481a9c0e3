// Does writing to a few hot keys make their readers wait?
//
// 95 % reads and 5 % writes of 100 keys, all resident, on two threads.
#include <cstdio>
#include <optional>

#include "contenders.hpp"
#include "question.hpp"
#include "report.hpp"
#include "rounds.hpp"

namespace larder::bench {

namespace {

constexpr std::uint64_t kHot = 100;
constexpr unsigned kThreads = 2;
constexpr unsigned kWriteEvery = 20;

template <class Cache>
Contender contender(std::string name, Cache& cache, const std::vector<std::uint64_t>& keys,
                    unsigned threads, std::chrono::milliseconds slice) {
  return {std::move(name), [&cache, &keys, threads, slice] {
            return measure(threads, slice, [&](unsigned thread) {
              constexpr std::uint64_t kBatch = 2000;
              std::uint64_t wrong = 0;
              for (std::uint64_t i = 0; i < kBatch; ++i) {
                const std::uint64_t key = keys[(i * 37 + std::uint64_t{thread} * 13) % kHot];
                if (i % kWriteEvery == 0) {
                  cache.put(key, value_of(key));
                } else {
                  wrong += static_cast<std::uint64_t>(cache.read(key) != key);
                }
              }
              if (wrong > 0) std::fprintf(stderr, "bench_memory: a hot key was lost\n");
              return kBatch;
            });
          }};
}

}  // namespace

void answer_hot_keys(const Effort& effort) {
  const auto keys = make_keys(kHot);
  Larder larder{16ULL << 20};
  BareLru lru{100 * kHot};
  RocksDbCache clock{RocksDbCache::Kind::kHyperClock, 100 * kHot};
  for (const std::uint64_t key : keys) {
    larder.put(key, value_of(key));
    lru.put(key, value_of(key));
    clock.put(key, value_of(key));
  }
  std::vector contenders{contender("larder, 2 threads", larder, keys, kThreads, effort.slice),
                         contender("larder", larder, keys, 1, effort.slice),
                         contender("bare LRU, 2 threads", lru, keys, kThreads, effort.slice)};
  if (RocksDbCache::available()) {
    contenders.push_back(
        contender("HyperClockCache, 2 threads", clock, keys, kThreads, effort.slice));
  }

  print_title("hot: 95 % reads, 5 % writes, 100 keys");
  const auto standings = compete(contenders, effort.rounds);
  print_standings(standings);
  print_mark("bare LRU / larder, 2 threads, wall", standings[2].ratio.wall_ns, ">=", 2);
}

}  // namespace larder::bench
