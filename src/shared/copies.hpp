// One cache's part of a RedisTier.
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
#include "shared/redis_tier.hpp"

namespace larder::shared {

// What a write leaves, as it stands in the tier, and for how long.
struct Written {
  std::string value{};  // empty: nothing
  Duration left{};
};
[[nodiscard]] Written written(const SharedMark& mark, std::uint64_t fingerprint,
                              const std::optional<SharedFill>& kept,
                              const EnvelopeOptions& options);

class Copies final : public SharedCopies {
 public:
  Copies(std::shared_ptr<RedisTier> tier, std::string cache, std::uint64_t fingerprint)
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
  void end(const SharedLease& lease, Call step);

  const std::shared_ptr<RedisTier> tier_;
  const std::string cache_;
  const std::uint64_t fingerprint_;
};

}  // namespace larder::shared
