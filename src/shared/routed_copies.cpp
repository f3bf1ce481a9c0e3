#include "shared/routed_copies.hpp"

#include <map>
#include <utility>

#include "larder/thread_annotations.hpp"
#include "shared/copies.hpp"

namespace larder::shared {

namespace {

// The marks of several servers, which come one after the other.
class Marks {
 public:
  Marks(std::vector<SharedMark> marks, std::size_t parts, SharedCopies::Marked marked)
      : marks_{std::move(marks)}, owed_{parts}, marked_{std::move(marked)} {}

  void take(const std::vector<std::size_t>& indices, std::vector<SharedMark> part)
      LARDER_EXCLUDES(mutex_) {
    std::vector<SharedMark> all;
    {
      const MutexLock lock{mutex_};
      for (std::size_t i = 0; i < indices.size(); ++i) marks_[indices[i]] = std::move(part[i]);
      if (--owed_ > 0) return;
      all = std::move(marks_);
    }
    marked_(std::move(all));
  }

 private:
  Mutex mutex_;
  std::vector<SharedMark> marks_ LARDER_GUARDED_BY(mutex_);
  std::size_t owed_ LARDER_GUARDED_BY(mutex_);  // parts
  SharedCopies::Marked marked_;                 // called once
};

}  // namespace

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

void RoutedCopies::begin_write(std::vector<std::string> keys, Duration life, Marked marked) {
  struct Part {
    std::vector<std::string> keys;
    std::vector<std::size_t> indices;
  };
  std::map<RoutedTier::TierPtr, Part> parts;
  std::vector<SharedMark> marks;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    marks.push_back({.key = tier_->names().value(cache_, keys[i])});
    const auto tier = tier_->tier_of(tier_->names().bucket(cache_, keys[i]));
    if (!tier) continue;
    parts[tier].keys.push_back(std::move(keys[i]));
    parts[tier].indices.push_back(i);
  }
  if (parts.empty()) return marked(std::move(marks));
  const auto all = std::make_shared<Marks>(std::move(marks), parts.size(), std::move(marked));
  for (auto& [tier, part] : parts) {
    tier->copies(cache_, fingerprint_)
        ->begin_write(std::move(part.keys), life,
                      [all, indices = std::move(part.indices)](std::vector<SharedMark> some) {
                        all->take(indices, std::move(some));
                      });
  }
}

void RoutedCopies::finish_write(SharedMark mark, const std::optional<SharedFill>& kept) {
  Written left = written(mark, fingerprint_, kept, tier_->options().envelope);
  tier_->finish(cache_, mark, std::move(left.value), left.left);
}

void RoutedCopies::leave_write(SharedMark mark, Duration life) { tier_->leave(cache_, mark, life); }

void RoutedCopies::invalidate(std::string_view key) { tier_->invalidate(cache_, key); }
void RoutedCopies::clear() { tier_->clear(cache_); }
void RoutedCopies::listen(std::weak_ptr<SharedListener> listener) {
  tier_->listen(cache_, std::move(listener));
}

}  // namespace larder::shared
