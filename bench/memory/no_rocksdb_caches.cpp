// Where librocksdb-dev is not installed.
#include "contenders.hpp"

namespace larder::bench {

struct RocksDbCache::State {};

bool RocksDbCache::available() { return false; }
RocksDbCache::RocksDbCache(Kind, std::uint64_t) {}
RocksDbCache::~RocksDbCache() = default;
std::optional<std::uint64_t> RocksDbCache::read(std::uint64_t) { return std::nullopt; }
void RocksDbCache::put(std::uint64_t, const Value&) {}
std::uint64_t RocksDbCache::entries() const { return 0; }

}  // namespace larder::bench
