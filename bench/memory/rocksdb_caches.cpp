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

// An entry counts as 1, and so does the estimate that HyperClockCache's table is made for.
std::shared_ptr<rocksdb::Cache> make(RocksDbCache::Kind kind, std::size_t entries) {
  if (kind == RocksDbCache::Kind::kHyperClock) {
    return rocksdb::HyperClockCacheOptions{entries, 1,       -1,
                                           false,   nullptr, rocksdb::kDontChargeCacheMetadata}
        .MakeSharedCache();
  }
  constexpr int kShardBits = 4;
  return rocksdb::NewLRUCache(entries, kShardBits, false, 0, nullptr,
                              rocksdb::kDefaultToAdaptiveMutex, rocksdb::kDontChargeCacheMetadata);
}

}  // namespace

struct RocksDbCache::State {
  std::shared_ptr<rocksdb::Cache> cache;
};

bool RocksDbCache::available() { return true; }

RocksDbCache::RocksDbCache(Kind kind, std::uint64_t entries)
    : state_{std::make_unique<State>(make(kind, static_cast<std::size_t>(entries)))} {}

RocksDbCache::~RocksDbCache() = default;

std::optional<std::uint64_t> RocksDbCache::read(std::uint64_t key) {
  rocksdb::Cache& cache = *state_->cache;
  rocksdb::Cache::Handle* const handle = cache.Lookup(slice({key, ~key}));
  if (handle == nullptr) return std::nullopt;
  const std::uint64_t seen = digest(*static_cast<const Value*>(cache.Value(handle)));
  cache.Release(handle);
  return seen;
}

void RocksDbCache::put(std::uint64_t key, const Value& value) {
  insert(*state_->cache, {key, ~key}, new Value{value});
}

std::uint64_t RocksDbCache::entries() const { return state_->cache->GetUsage(); }

}  // namespace larder::bench
