// What does a hit cost, beside a plain hash table and RocksDB's cache, and do two
// threads get twice as much done?
//
// All keys are resident. Each reader looks at all 64 bytes of the value.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "contenders.hpp"
#include "question.hpp"
#include "report.hpp"
#include "rounds.hpp"

namespace larder::bench {

namespace {

constexpr double kExponent = 0.99;
constexpr std::size_t kBatch = 4096;
constexpr unsigned kThreads = 2;

// Each thread reads its own draws, in turn and round again.
class Readers {
 public:
  Readers(const std::vector<std::uint64_t>& keys, std::size_t draws) {
    for (unsigned thread = 0; thread < kThreads; ++thread) {
      drawn_.push_back(draw_zipf(keys, kExponent, draws, thread));
    }
  }

  template <class Cache>
  Cost run(Cache& cache, unsigned threads, std::chrono::milliseconds slice) {
    return measure(threads, slice, [&](unsigned thread) {
      const std::vector<std::uint64_t>& drawn = drawn_[thread];
      std::size_t& place = places_[thread].at;
      std::uint64_t wrong = 0;
      for (std::size_t i = 0; i < kBatch; ++i) {
        const std::uint64_t key = drawn[place + i];
        wrong += static_cast<std::uint64_t>(cache.read(key) != key);
      }
      place = (place + kBatch) % drawn.size();
      if (wrong > 0) {
        std::fprintf(stderr, "bench_memory: a key that was put is not there\n");
        std::exit(1);
      }
      return kBatch;
    });
  }

 private:
  struct alignas(64) Place {
    std::size_t at = 0;
  };
  std::vector<std::vector<std::uint64_t>> drawn_;
  std::array<Place, kThreads> places_{};
};

template <class Cache>
void fill(Cache& cache, const std::vector<std::uint64_t>& keys) {
  // Not in the order of popularity: what is popular lies anywhere.
  std::vector<std::uint64_t> shuffled = keys;
  std::ranges::sort(shuffled);
  for (const std::uint64_t key : shuffled) cache.put(key, value_of(key));
}

}  // namespace

void answer_hit(const Effort& effort) {
  const auto keys = make_keys(effort.keys);
  const std::size_t draws = std::max<std::size_t>(effort.keys * 4 / kBatch, 1) * kBatch;
  Readers readers{keys, draws};
  Larder larder{effort.keys * Larder::footprint() * 2};
  FlatMap map;
  RocksDbCache clock{RocksDbCache::Kind::kHyperClock, effort.keys * 2};
  fill(larder, keys);
  fill(map, keys);
  fill(clock, keys);

  std::vector<Contender> contenders{
      {"larder", [&] { return readers.run(larder, 1, effort.slice); }},
      {"larder, 2 threads", [&] { return readers.run(larder, kThreads, effort.slice); }},
      {"boost::unordered_flat_map", [&] { return readers.run(map, 1, effort.slice); }}};
  if (RocksDbCache::available()) {
    contenders.push_back({"HyperClockCache", [&] { return readers.run(clock, 1, effort.slice); }});
    contenders.push_back(
        {"HyperClockCache, 2 threads", [&] { return readers.run(clock, kThreads, effort.slice); }});
  }

  print_title("hit: all keys resident, 8-byte keys, 64-byte values, Zipf 0.99");
  const auto standings = compete(contenders, effort.rounds);
  print_standings(standings);
  print_mark("larder / flat map, CPU", 1 / standings[2].ratio.cpu_ns, "<=", 1.6);
  print_mark("2 threads / 1 thread, throughput by wall time", 1 / standings[1].ratio.wall_ns,
             ">=", 1.9);
  print_mark("2 threads / 1 thread, throughput by CPU time", 2 / standings[1].ratio.cpu_ns,
             ">=", 1.9);
  if (RocksDbCache::available()) {
    print_mark("HyperClockCache / larder, CPU", standings[3].ratio.cpu_ns, ">=", 3);
  }
}

}  // namespace larder::bench
