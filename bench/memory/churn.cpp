// What does read-through cost when a tenth of the keys fits: reads, loads and
// evictions together, and how many of the reads hit?
//
// Each peer holds as many entries as fit a tenth of the keys. larder has the
// memory that so many entries take, and pays its own table and ghosts from it.
#include <array>
#include <atomic>
#include <cstdio>

#include "contenders.hpp"
#include "question.hpp"
#include "report.hpp"
#include "rounds.hpp"

namespace larder::bench {

namespace {

constexpr double kExponent = 0.99;
constexpr std::size_t kBatch = 1024;
constexpr unsigned kThreads = 2;

// Reads through a cache, and counts.
template <class Cache>
class ReadThrough {
 public:
  ReadThrough(Cache& cache, const std::array<std::vector<std::uint64_t>, kThreads>& drawn)
      : cache_{cache}, drawn_{drawn} {
    for (const auto& keys : drawn_) {  // until it is full and its policy has learnt
      for (const std::uint64_t key : keys) (void)read(key);
    }
  }

  Cost run(unsigned threads, std::chrono::milliseconds slice) {
    return measure(threads, slice, [this](unsigned thread) {
      const auto& drawn = drawn_[thread];
      std::size_t& place = places_[thread].at;
      std::uint64_t hits = 0;
      for (std::size_t i = 0; i < kBatch; ++i) {
        hits += static_cast<std::uint64_t>(read(drawn[place + i]));
      }
      place = (place + kBatch) % drawn.size();
      hits_.fetch_add(hits, std::memory_order_relaxed);
      reads_.fetch_add(kBatch, std::memory_order_relaxed);
      return kBatch;
    });
  }

  void print_hits(const char* name) const {
    std::printf("  %-34s %11.2f %% of the reads hit, %llu entries\n", name,
                100 * static_cast<double>(hits_) / static_cast<double>(reads_),
                static_cast<unsigned long long>(cache_.entries()));
  }

 private:
  struct alignas(64) Place {
    std::size_t at = 0;
  };

  bool read(std::uint64_t key) {
    if (cache_.read(key)) return true;
    cache_.put(key, value_of(key));
    return false;
  }

  Cache& cache_;
  const std::array<std::vector<std::uint64_t>, kThreads>& drawn_;
  std::array<Place, kThreads> places_{};
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> reads_{0};
};

template <class Cache>
void add(std::vector<Contender>& contenders, ReadThrough<Cache>& reader, const std::string& name,
         std::chrono::milliseconds slice) {
  contenders.push_back({name, [&reader, slice] { return reader.run(1, slice); }});
  contenders.push_back(
      {name + ", 2 threads", [&reader, slice] { return reader.run(kThreads, slice); }});
}

}  // namespace

void answer_churn(const Effort& effort) {
  const auto keys = make_keys(effort.keys);
  const std::size_t draws = std::max<std::size_t>(effort.keys * 2 / kBatch, 1) * kBatch;
  const std::array drawn{draw_zipf(keys, kExponent, draws, 1),
                         draw_zipf(keys, kExponent, draws, 2)};
  const std::uint64_t fit = effort.keys / 10;
  Larder larder{fit * Larder::footprint()};
  ShardedLru lru{fit};
  HyperClock clock{fit};
  ReadThrough larder_reader{larder, drawn};
  ReadThrough lru_reader{lru, drawn};
  std::optional<ReadThrough<HyperClock>> clock_reader;
  if (HyperClock::available()) clock_reader.emplace(clock, drawn);

  std::vector<Contender> contenders;
  add(contenders, larder_reader, "larder", effort.slice);
  add(contenders, lru_reader, "sharded-mutex LRU", effort.slice);
  if (clock_reader) add(contenders, *clock_reader, "HyperClockCache", effort.slice);

  print_title("churn: read-through, room for 10 % of the keys, Zipf 0.99");
  const auto standings = compete(contenders, effort.rounds);
  print_standings(standings);
  larder_reader.print_hits("larder");
  lru_reader.print_hits("sharded-mutex LRU");
  if (clock_reader) clock_reader->print_hits("HyperClockCache");
  for (std::size_t i = 2; i < standings.size(); i += 2) {
    const Standing& one = standings[i];
    const Standing& two = standings[i + 1];
    print_mark(one.name + " / larder, CPU", one.ratio.cpu_ns, ">=", 2);
    print_mark(two.name + " / larder's, wall", two.ratio.wall_ns / standings[1].ratio.wall_ns,
               ">=", 2);
  }
}

}  // namespace larder::bench
