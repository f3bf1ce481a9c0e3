// larder's own memory tier, itself and not a model of it: one shard, values that
// weigh what the trace says.
#include "larder/memory_tier.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

// Stands for a value of so many bytes.
struct Weight {
  std::uint64_t bytes = 1;
};
std::size_t larder_weigh(const Weight& weight) { return weight.bytes; }

class Tier final : public Policy {
 public:
  explicit Tier(const PolicyInput& input)
      : ttl_{input.ttl},
        tier_{{.capacity = {input.capacity},
               .charge = Charge::kValue,
               .shards = 1,
               .hash_seed = kSeed}} {}

  bool access(const Access& access) override {
    const TimePoint now = kStart + access.at;
    if (tier_.visit(access.key, now, [](const auto&, const EntryInfo&) {})) return true;
    const TimePoint until = ttl_ > Duration{} ? now + ttl_ : TimePoint::max();
    const EntryInfo info{.filled_at = now, .fresh_until = until, .usable_until = until};
    tier_.put(access.key, value(access.bytes), info, now);
    if (ttl_ > Duration{}) tier_.expire(now, kExpireAtATime);
    return false;
  }

 private:
  static constexpr std::uint64_t kSeed = 42;  // the same trace gives the same ratio
  static constexpr std::size_t kExpireAtATime = 16;
  static constexpr TimePoint kStart{std::chrono::hours{1}};

  // Most values are as large as the one before.
  const Handle<Weight>& value(std::uint64_t bytes) {
    if (!value_ || value_->bytes != bytes) value_ = std::make_shared<const Weight>(Weight{bytes});
    return value_;
  }

  const Duration ttl_;
  MemoryTier<KeyId, Weight> tier_;
  Handle<Weight> value_;
};

}  // namespace

std::unique_ptr<Policy> make_larder(const PolicyInput& input) {
  return std::make_unique<Tier>(input);
}

}  // namespace larder::simulate
