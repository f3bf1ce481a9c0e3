// One cache's part of a PoolTier: sends each key to the server that has it.
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
#include "shared/envelope.hpp"
#include "shared/pool_tier.hpp"

namespace larder::shared {

// What a value in Memcached must carry: no server brings old copies back when it restarts, so
// all have the same run.
inline constexpr std::uint64_t kRunOfPool = 1;  // 0 would be no mark
[[nodiscard]] Stamp stamp_of(std::uint64_t fingerprint, std::string_view generation);

class PoolCopies final : public SharedCopies {
 public:
  PoolCopies(std::shared_ptr<PoolTier> tier, std::string cache, std::uint64_t fingerprint)
      : tier_{std::move(tier)},
        cache_{std::move(cache)},
        fingerprint_{fingerprint},
        told_{tier_->backplane() ? tier_->backplane()->copies(cache_, 0) : nullptr} {}

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
  void once_told(Told told) override;
  void listen(std::weak_ptr<SharedListener> listener) override;
  [[nodiscard]] std::shared_ptr<Vouch> vouch() const override { return tier_->hearing(); }

 private:
  const std::shared_ptr<PoolTier> tier_;
  const std::string cache_;
  const std::uint64_t fingerprint_;
  const std::shared_ptr<SharedCopies> told_;  // the backplane's part; null: there is none
};

}  // namespace larder::shared
