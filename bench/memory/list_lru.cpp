#include "contenders.hpp"

namespace larder::bench {

std::optional<std::uint64_t> ListLru::read(std::uint64_t key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return std::nullopt;
  shard.items.splice(shard.items.begin(), shard.items, found->second);
  return digest(found->second->value);
}

void ListLru::put(std::uint64_t key, const Value& value) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock{shard.mutex};
  if (const auto found = shard.by_key.find(key); found != shard.by_key.end()) {
    found->second->value = bytes_of(value);
    shard.items.splice(shard.items.begin(), shard.items, found->second);
    return;
  }
  if (shard.items.size() == most_) {
    shard.by_key.erase(shard.items.back().key);
    shard.items.pop_back();
  }
  shard.items.push_front({key, std::string{bytes_of(value)}});
  shard.by_key.emplace(key, shard.items.begin());
}

std::uint64_t ListLru::entries() const {
  std::uint64_t sum = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock{shard.mutex};
    sum += shard.items.size();
  }
  return sum;
}

}  // namespace larder::bench
