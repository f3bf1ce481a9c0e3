#include "contenders.hpp"

namespace larder::bench {

BareLru::Shard::Shard(std::uint64_t most) : nodes_(1), most_{std::max<std::uint64_t>(most, 1)} {
  nodes_.reserve(most_ + 1);
  by_key_.reserve(most_ + 1);
}

std::optional<std::uint64_t> BareLru::Shard::read(std::uint64_t key) {
  const std::lock_guard lock{mutex_};
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const Index node = found->second;
  if (nodes_[0].older != node) {
    unlink(node);
    link_newest(node);
  }
  return digest(nodes_[node].value);
}

void BareLru::Shard::put(std::uint64_t key, const Value& value) {
  const std::lock_guard lock{mutex_};
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    nodes_[found->second].value = value;
    unlink(found->second);
    link_newest(found->second);
    return;
  }
  Index node = 0;
  if (nodes_.size() <= most_) {
    node = static_cast<Index>(nodes_.size());
    nodes_.emplace_back();
  } else {
    node = nodes_[0].newer;  // the ring's oldest
    unlink(node);
    by_key_.erase(nodes_[node].key);
  }
  nodes_[node].key = key;
  nodes_[node].value = value;
  by_key_.emplace(key, node);
  link_newest(node);
}

std::uint64_t BareLru::Shard::entries() const {
  const std::lock_guard lock{mutex_};
  return by_key_.size();
}

void BareLru::Shard::unlink(Index node) {
  nodes_[nodes_[node].older].newer = nodes_[node].newer;
  nodes_[nodes_[node].newer].older = nodes_[node].older;
}

// From the anchor, `older` leads to the newest and `newer` round to the oldest.
void BareLru::Shard::link_newest(Index node) {
  nodes_[node].newer = 0;
  nodes_[node].older = nodes_[0].older;
  nodes_[nodes_[0].older].newer = node;
  nodes_[0].older = node;
}

}  // namespace larder::bench
