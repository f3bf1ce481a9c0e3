// What does a hit cost through the front door, and what a miss?
//
// Peer: boost::unordered_flat_map::find on the same keys, the floor for any
// hash table on this machine. Keys are drawn beforehand, Zipf-like, from 100,000.
#include <benchmark/benchmark.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "larder/cache.hpp"

namespace larder {
namespace {

using namespace literals;

constexpr std::int64_t kKeys = 100'000;

const std::vector<std::int64_t>& accesses() {
  static const std::vector<std::int64_t> drawn = [] {
    std::mt19937_64 random{42};
    std::uniform_real_distribution<double> uniform{0, 1};
    std::vector<std::int64_t> keys(1 << 20);
    for (auto& key : keys) {
      key = static_cast<std::int64_t>(std::pow(double{kKeys}, uniform(random))) % kKeys;
    }
    return keys;
  }();
  return drawn;
}

struct Product {
  std::int64_t id = 0;
  std::int64_t price = 0;
};

template <class Read>
void read_all(benchmark::State& state, Read read) {
  const auto& keys = accesses();
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(read(keys[i++ & (keys.size() - 1)]));
}

void BM_FlatMapFind(benchmark::State& state) {
  boost::unordered_flat_map<std::int64_t, Product> map;
  for (std::int64_t id = 0; id < kKeys; ++id) map[id] = {id, id};
  read_all(state, [&](std::int64_t id) { return map.find(id)->second.price; });
}
BENCHMARK(BM_FlatMapFind);

class Warm {
 public:
  Warm() {
    for (std::int64_t id = 0; id < kKeys; ++id) (void)cache.put(id, {id, id});
  }
  Runtime runtime{{.io_threads = 1}};
  Cache<std::int64_t, Product> cache{runtime, {.memory = {.capacity = 256_MiB}}};
};

void BM_Visit(benchmark::State& state) {
  Warm warm;
  read_all(state, [&](std::int64_t id) {
    std::int64_t price = 0;
    warm.cache.visit(id, [&](const auto& product, const EntryInfo&) { price = product->price; });
    return price;
  });
}
BENCHMARK(BM_Visit);

void BM_Get(benchmark::State& state) {
  Warm warm;
  read_all(state, [&](std::int64_t id) { return warm.cache.get(id)->price; });
}
BENCHMARK(BM_Get);

// A source that answers at once: what larder itself adds to a load.
class Instant final : public Source<std::int64_t, Product> {
 public:
  void load(std::vector<std::int64_t> keys, Done done) override {
    std::vector<Loaded<Product>> products;
    for (const auto id : keys) products.emplace_back(Product{id, id});
    done(std::move(products));
  }
  [[nodiscard]] std::string describe() const override { return "at once"; }
};

void BM_MissAndFill(benchmark::State& state) {
  Runtime runtime{{.io_threads = 1}};
  Cache<std::int64_t, Product> cache{
      runtime, {.source = std::make_shared<Instant>(), .memory = {.capacity = 256_MiB}}};
  std::int64_t id = 0;
  for (auto _ : state) {
    auto price = cache.get(id++)->price;
    benchmark::DoNotOptimize(price);
  }
}
BENCHMARK(BM_MissAndFill);

}  // namespace
}  // namespace larder
