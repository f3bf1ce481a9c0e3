// Built where librocksdb-dev is installed. Its keys have 16 bytes, no more and no less.
#include <rocksdb/cache.h>
#if __has_include(<rocksdb/advanced_cache.h>)
#include <rocksdb/advanced_cache.h>
#endif

#include <array>

#include "contenders.hpp"

namespace larder::bench {

namespace {

using Key = std::array<std::uint64_t, 2>;

rocksdb::Slice slice(const Key& key) {
  return {reinterpret_cast<const char*>(key.data()), sizeof key};
}

// RocksDB 7 takes a deleter, later ones what they call a helper.
template <class Cache>
void insert(Cache& cache, const Key& key, Value* value) {
  if constexpr (requires { typename Cache::ObjectPtr; }) {
    static const typename Cache::CacheItemHelper helper{
        rocksdb::CacheEntryRole::kMisc,
        [](auto* object, auto*) { delete static_cast<Value*>(object); }};
    (void)cache.Insert(slice(key), value, &helper, 1);
  } else {
    (void)cache.Insert(slice(key), value, 1, [](const rocksdb::Slice&, void* object) {
      delete static_cast<Value*>(object);
    });
  }
}

}  // namespace

struct HyperClock::State {
  std::shared_ptr<rocksdb::Cache> cache;
};

bool HyperClock::available() { return true; }

// An entry counts as 1, and so does the estimate that its table is made for.
HyperClock::HyperClock(std::uint64_t entries) : state_{std::make_unique<State>()} {
  const rocksdb::HyperClockCacheOptions options{
      static_cast<std::size_t>(entries), 1, -1, false, nullptr, rocksdb::kDontChargeCacheMetadata};
  state_->cache = options.MakeSharedCache();
}

HyperClock::~HyperClock() = default;

std::optional<std::uint64_t> HyperClock::read(std::uint64_t key) {
  rocksdb::Cache& cache = *state_->cache;
  rocksdb::Cache::Handle* const handle = cache.Lookup(slice({key, ~key}));
  if (handle == nullptr) return std::nullopt;
  const std::uint64_t seen = digest(*static_cast<const Value*>(cache.Value(handle)));
  cache.Release(handle);
  return seen;
}

void HyperClock::put(std::uint64_t key, const Value& value) {
  insert(*state_->cache, {key, ~key}, new Value{value});
}

std::uint64_t HyperClock::entries() const { return state_->cache->GetOccupancyCount(); }

}  // namespace larder::bench
