// What does read-through cost when a tenth of the keys fits: reads, loads and
// evictions together, and how many of the reads hit?
//
// Each peer holds as many entries as fit a tenth of the keys. larder has the
// memory that so many entries take, and pays its own table and ghosts from it.
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

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
    if constexpr (requires { cache_.barriers(); }) barriers_ = cache_.barriers();
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
    if constexpr (requires { cache_.barriers(); }) {
      std::printf(
          "  %-34s %11.4f barriers a miss\n", "",
          static_cast<double>(cache_.barriers() - barriers_) / static_cast<double>(reads_ - hits_));
    }
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
  std::uint64_t barriers_ = 0;  // before all that
};

void compete_for(std::uint64_t fit, const Effort& effort) {
  const auto keys = make_keys(fit * 10);
  const std::size_t draws = std::max<std::size_t>(fit * 20 / kBatch, 1) * kBatch;
  const std::array drawn{draw_zipf(keys, kExponent, draws, 1),
                         draw_zipf(keys, kExponent, draws, 2)};
  Larder larder{fit * Larder::footprint()};
  BareLru bare{fit};
  ListLru list{fit};
  RocksDbCache lru{RocksDbCache::Kind::kLru, fit};
  RocksDbCache clock{RocksDbCache::Kind::kHyperClock, fit};

  std::vector<Contender> contenders;
  std::vector<std::function<void()>> hits;
  const auto enter = [&](auto& cache, const std::string& name) {
    // Shared by what is run and what is printed.
    const auto reader =
        std::make_shared<ReadThrough<std::remove_reference_t<decltype(cache)>>>(cache, drawn);
    for (const unsigned threads : {1U, kThreads}) {
      contenders.push_back({threads == 1 ? name : name + ", 2 threads",
                            [=] { return reader->run(threads, effort.slice); }});
    }
    hits.push_back([=] { reader->print_hits(name.c_str()); });
  };
  enter(larder, "larder");
  enter(bare, "bare LRU");
  enter(list, "LRU of list and map");
  if (RocksDbCache::available()) {
    enter(lru, "RocksDB's LRUCache");
    enter(clock, "HyperClockCache");
  }

  print_title("churn: read-through, room for " + std::to_string(fit) +
              ", 10 % of the keys, Zipf 0.99");
  const auto standings = compete(contenders, effort.rounds);
  print_standings(standings);
  for (const auto& print : hits) print();
  for (std::size_t i = 2; i < standings.size(); i += 2) {
    const Standing& one = standings[i];
    const Standing& two = standings[i + 1];
    print_mark(one.name + " / larder, CPU", one.ratio.cpu_ns, ">=", 2);
    print_mark(two.name + " / larder's, wall", two.ratio.wall_ns / standings[1].ratio.wall_ns,
               ">=", 2);
  }
}

}  // namespace

// In a large cache a read waits for memory, in a small one it does not.
void answer_churn(const Effort& effort) {
  constexpr std::uint64_t kFewer = 50;
  compete_for(effort.keys / 10, effort);
  compete_for(effort.keys / 10 / kFewer, effort);
}

}  // namespace larder::bench
