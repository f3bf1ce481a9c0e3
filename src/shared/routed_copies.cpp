#include "shared/routed_copies.hpp"

#include <map>
#include <utility>

namespace larder::shared {

void RoutedCopies::read(std::vector<Key> keys, Take take) {
  struct Part {
    std::vector<Key> keys;
    std::vector<std::size_t> indices;
  };
  std::map<RoutedTier::TierPtr, Part> parts;
  const std::size_t count = keys.size();
  for (std::size_t i = 0; i < count; ++i) {
    Part& part = parts[tier_->tier_of(tier_->names().bucket(cache_, keys[i].key))];
    part.keys.push_back(std::move(keys[i]));
    part.indices.push_back(i);
  }
  const auto shared_take = std::make_shared<const Take>(std::move(take));
  for (auto& [tier, part] : parts) {
    if (!tier) {
      Answers answers;
      for (const std::size_t index : part.indices) answers.emplace_back(index, SharedAnswer{});
      (*shared_take)(std::move(answers));
      continue;
    }
    tier->copies(cache_, fingerprint_)
        ->read(std::move(part.keys),
               [shared_take, indices = std::move(part.indices)](Answers answers) {
                 for (auto& [index, answer] : answers) index = indices[index];
                 (*shared_take)(std::move(answers));
               });
  }
}

std::shared_ptr<SharedCopies> RoutedCopies::part_of(const SharedLease& lease) const {
  const auto tier = tier_->tier_of(tier_->names().bucket_in(lease.key));
  return tier ? tier->copies(cache_, fingerprint_) : nullptr;
}

void RoutedCopies::fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
                        Duration cost) {
  const auto part = part_of(lease);
  if (part) part->fill(std::move(lease), bytes, lifetime, cost);
}

void RoutedCopies::fail(SharedLease lease, const Error& error) {
  const auto part = part_of(lease);
  if (part) part->fail(std::move(lease), error);
}

void RoutedCopies::release(SharedLease lease) {
  const auto part = part_of(lease);
  if (part) part->release(std::move(lease));
}

void RoutedCopies::invalidate(std::string_view key) { tier_->invalidate(cache_, key); }
void RoutedCopies::clear() { tier_->clear(cache_); }
void RoutedCopies::listen(std::weak_ptr<SharedListener> listener) {
  tier_->listen(cache_, std::move(listener));
}

}  // namespace larder::shared
