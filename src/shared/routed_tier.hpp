// The shared tier over several servers, or over one whose place changes: the masters of a
// cluster, or the master that sentinels know.
//
// To each master its own RedisTier, with its own connections and its own trust: when one is
// lost, reads of its keys alone go to the source. Keys are spread over buckets (key_names.hpp),
// each of which is in one slot. A guide tells which master has which slots; this type sends
// each key to its bucket's tier, and splits reads of many.
//
// What a server could not be told belongs to the key, not to the server: when the bucket is
// another's, that one is told, before it is asked for anything.
//
// MOVED means that the guide is to be asked; the read goes to the source, and the invalidation
// is kept until it is known whom to tell. ASK, of a slot on its way to another server, is followed
// with what must be told (redis_tier_asked.cpp); reads go to the source: what was copied there
// carries the run of the server that it left, and would be believed by nobody.
//
// Threads: any. Lock order: this, then a tier's, a backplane's or the guide's, then a
// client's; nobody is called back under it. Lifetime: held by shared_ptr; the runtime closes
// it before it ends.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "redis/guide.hpp"
#include "shared/elsewhere.hpp"
#include "shared/key_names.hpp"
#include "shared/redis_tier.hpp"
#include "shared/tier.hpp"
#include "shared/undelivered.hpp"

namespace larder::shared {

class RoutedTier final : public Tier,
                         public redis::GuideEvents,
                         public Elsewhere,
                         public std::enable_shared_from_this<RoutedTier> {
 public:
  // `options.url` is a cluster's or sentinels'; the other options are those of each master's
  // tier. Nobody needs to be there yet.
  [[nodiscard]] static Result<std::shared_ptr<RoutedTier>> start(Runtime& runtime,
                                                                 RedisTierOptions options);
  ~RoutedTier() override = default;
  RoutedTier(const RoutedTier&) = delete;
  RoutedTier& operator=(const RoutedTier&) = delete;

  [[nodiscard]] std::shared_ptr<SharedCopies> copies(std::string cache,
                                                     std::uint64_t fingerprint) override;
  [[nodiscard]] std::shared_ptr<FleetGate> fleet_gate(FleetLimit limit) override
      LARDER_EXCLUDES(mutex_);
  [[nodiscard]] bool trusted() const override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::string trouble() const override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] SharedStats stats() const override LARDER_EXCLUDES(mutex_);
  void close() override LARDER_EXCLUDES(mutex_);

  // ---- For its RoutedCopies. ----

  using TierPtr = std::shared_ptr<RedisTier>;  // null: nobody has it, as far as is known

  [[nodiscard]] const KeyNames& names() const { return names_; }
  [[nodiscard]] std::shared_ptr<Hearing> hearing() const override { return hearing_; }
  [[nodiscard]] TierPtr tier_of(KeyNames::Bucket bucket) const LARDER_EXCLUDES(mutex_);
  void invalidate(const std::string& cache, std::string_view key) LARDER_EXCLUDES(mutex_);
  void clear(const std::string& cache) LARDER_EXCLUDES(mutex_);
  // Calls it when every master has answered that, or it is known which do not.
  void once_told(Confirmations::Then then) LARDER_EXCLUDES(mutex_);
  // As RedisTier's, of the tier that has the key now.
  void finish(const std::string& cache, const SharedMark& mark, std::string value, Duration left)
      LARDER_EXCLUDES(mutex_);
  void leave(const std::string& cache, const SharedMark& mark, Duration life)
      LARDER_EXCLUDES(mutex_);
  [[nodiscard]] const RedisTierOptions& options() const { return options_; }
  void listen(const std::string& cache, std::weak_ptr<SharedListener> listener)
      LARDER_EXCLUDES(mutex_);

 private:
  struct Listening {
    std::string cache;
    std::weak_ptr<SharedListener> listener;
  };
  using Routes = std::array<TierPtr, KeyNames::kBuckets>;
  struct Assignment {
    redis::Place place;
    RedisTier::Buckets buckets;
  };

  RoutedTier(Runtime& runtime, RedisTierOptions options);

  // GuideEvents.
  void guided(const redis::Topology& topology) override LARDER_EXCLUDES(mutex_);
  void lost_way(const Error& why) override LARDER_EXCLUDES(mutex_);
  // Elsewhere.
  void moved(const std::string& cache, std::optional<std::string> name) override
      LARDER_EXCLUDES(mutex_);
  void suspect() override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] TierPtr at(const redis::Place& place) override LARDER_EXCLUDES(mutex_);

  [[nodiscard]] std::vector<Assignment> assignments(const redis::Topology& topology) const;
  [[nodiscard]] TierPtr begin(const redis::Place& place) LARDER_REQUIRES(mutex_);
  void drop_memory() LARDER_EXCLUDES(mutex_);
  void distribute(bool changed) LARDER_REQUIRES(mutex_);
  // Whether each bucket has a tier.
  [[nodiscard]] bool everywhere(const Routes& routes) const;
  [[nodiscard]] bool in_cluster() const { return names_.in_buckets(); }

  Runtime& runtime_;  // while not closed
  const RedisTierOptions options_;
  const KeyNames names_;
  std::shared_ptr<Hearing> hearing_;  // set once, by start()

  mutable Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::shared_ptr<redis::Guide> guide_ LARDER_GUARDED_BY(mutex_);
  std::map<redis::Place, TierPtr> tiers_ LARDER_GUARDED_BY(mutex_);
  Routes routes_ LARDER_GUARDED_BY(mutex_);
  std::vector<Listening> listening_ LARDER_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<FleetLoads>> fleet_loads_ LARDER_GUARDED_BY(mutex_);
  Undelivered undelivered_ LARDER_GUARDED_BY(mutex_);  // to nobody in particular yet
  std::string trouble_ LARDER_GUARDED_BY(mutex_);      // while there are no tiers
  bool told_ LARDER_GUARDED_BY(mutex_) = false;        // of that
  bool holes_told_ LARDER_GUARDED_BY(mutex_) = false;  // that slots have no master
  SharedStats past_ LARDER_GUARDED_BY(mutex_);         // of tiers that are no more
};

// The tier over Redis of whatever kind `options.url` names.
[[nodiscard]] Result<std::shared_ptr<Tier>> start_redis(Runtime& runtime, RedisTierOptions options);

}  // namespace larder::shared
