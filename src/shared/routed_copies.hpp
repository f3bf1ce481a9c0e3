// One cache's part of a RoutedTier: sends each key to the tier of its bucket.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/shared_copies.hpp"
#include "shared/routed_tier.hpp"

namespace larder::shared {

class RoutedCopies final : public SharedCopies {
 public:
  RoutedCopies(std::shared_ptr<RoutedTier> tier, std::string cache, std::uint64_t fingerprint)
      : tier_{std::move(tier)}, cache_{std::move(cache)}, fingerprint_{fingerprint} {}

  void read(std::vector<Key> keys, Take take) override;
  void fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
            Duration cost) override;
  void fail(SharedLease lease, const Error& error) override;
  void release(SharedLease lease) override;
  void begin_write(std::vector<std::string> keys, Duration life, Marked marked) override;
  void finish_write(SharedMark mark, const std::optional<SharedFill>& kept) override;
  void leave_write(SharedMark mark, Duration life) override;
  void invalidate(std::string_view key) override;
  void clear() override;
  void once_told(Told told) override { tier_->once_told(std::move(told)); }
  void listen(std::weak_ptr<SharedListener> listener) override;
  [[nodiscard]] std::shared_ptr<Vouch> vouch() const override { return tier_->hearing(); }

 private:
  // The part of the tier that has the lease's key now; null: none has. A lease that another
  // gave is refused there, since its run is another.
  [[nodiscard]] std::shared_ptr<SharedCopies> part_of(const SharedLease& lease) const;

  const std::shared_ptr<RoutedTier> tier_;
  const std::string cache_;
  const std::uint64_t fingerprint_;
};

}  // namespace larder::shared
