#include "shared/routed_tier.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "shared/fleet_loads.hpp"
#include "shared/once_told.hpp"
#include "shared/routed_copies.hpp"

namespace larder::shared {
namespace {

constexpr const char* kHoles = "slots of the cluster have no master";

}  // namespace

Result<std::shared_ptr<RoutedTier>> RoutedTier::start(Runtime& runtime, RedisTierOptions options) {
  const redis::ClientOptions client{.url = options.url, .timeout = options.timeout};
  std::shared_ptr<RoutedTier> tier{new RoutedTier{runtime, std::move(options)}};
  tier->hearing_ = Hearing::start(runtime.handle().timers(), [weak = std::weak_ptr{tier}] {
    if (const auto self = weak.lock()) self->drop_memory();
  });
  // Under the lock, for which a guide that is quick waits.
  {
    const MutexLock lock{tier->mutex_};
    auto guide = redis::Guide::start(runtime, client, tier);
    if (!guide) return std::unexpected{std::move(guide.error())};
    tier->guide_ = std::move(*guide);
  }
  runtime.close_at_stop(tier);
  return tier;
}

Result<std::shared_ptr<Tier>> start_redis(Runtime& runtime, RedisTierOptions options) {
  if (options.url.kind == redis::RedisUrl::Kind::kServer) {
    return RedisTier::start(runtime, std::move(options));
  }
  return RoutedTier::start(runtime, std::move(options));
}

RoutedTier::RoutedTier(Runtime& runtime, RedisTierOptions options)
    : runtime_{runtime},
      options_{std::move(options)},
      names_{options_.name_space, options_.url.kind == redis::RedisUrl::Kind::kCluster},
      undelivered_{options_.most_undelivered} {
  const MutexLock lock{mutex_};
  trouble_ = options_.url.place() + " has not said yet where the masters are";
}

void RoutedTier::close() {
  std::map<redis::Place, TierPtr> tiers;
  std::vector<std::weak_ptr<FleetLoads>> loads;
  {
    const MutexLock lock{mutex_};
    if (std::exchange(closed_, true)) return;
    guide_->close();
    tiers = std::move(tiers_);
    tiers_.clear();
    routes_.fill(nullptr);
    loads.swap(fleet_loads_);
  }
  for (const auto& [place, tier] : tiers) tier->close();
  hearing_->close();
  for (const auto& each : loads) {
    if (const auto waiting = each.lock()) waiting->let_all_go();
  }
}

std::shared_ptr<SharedCopies> RoutedTier::copies(std::string cache, std::uint64_t fingerprint) {
  return std::make_shared<RoutedCopies>(shared_from_this(), std::move(cache), fingerprint);
}

std::shared_ptr<FleetGate> RoutedTier::fleet_gate(FleetLimit limit) {
  std::string key = names_.loads(limit.source);
  auto tier = [weak = weak_from_this(),
               bucket = names_.bucket_of_loads(limit.source)]() -> TierPtr {
    const auto self = weak.lock();
    return self ? self->tier_of(bucket) : nullptr;
  };
  auto loads = std::make_shared<FleetLoads>(std::move(tier), runtime_.handle().timers(),
                                            std::move(key), std::move(limit));
  const MutexLock lock{mutex_};
  std::erase_if(fleet_loads_, [](const auto& each) { return each.expired(); });
  fleet_loads_.push_back(loads);
  return loads;
}

// ---- About it. ----

bool RoutedTier::trusted() const { return trouble().empty(); }

std::string RoutedTier::trouble() const {
  const MutexLock lock{mutex_};
  if (tiers_.empty()) return trouble_;
  for (const auto& [place, tier] : tiers_) {
    if (std::string trouble = tier->trouble(); !trouble.empty()) return trouble;
  }
  return everywhere(routes_) ? std::string{} : kHoles;
}

bool RoutedTier::everywhere(const Routes& routes) const {
  const std::span buckets{routes.data(), in_cluster() ? KeyNames::kBuckets : 1};
  return std::ranges::find(buckets, nullptr) == buckets.end();
}

SharedStats RoutedTier::stats() const {
  const MutexLock lock{mutex_};
  SharedStats sum = past_;
  for (const auto& [place, tier] : tiers_) sum += tier->stats();
  sum.undelivered += undelivered_.size();
  sum.gaps += hearing_->lapses();
  return sum;
}

RoutedTier::TierPtr RoutedTier::tier_of(KeyNames::Bucket bucket) const {
  const MutexLock lock{mutex_};
  return routes_[bucket];
}

// ---- What is to be told. ----

void RoutedTier::invalidate(const std::string& cache, std::string_view key) {
  std::string name = names_.value(cache, key);
  const MutexLock lock{mutex_};
  const TierPtr& tier = routes_[names_.bucket_in(name)];
  if (!tier) return undelivered_.add(cache, std::move(name));
  tier->invalidate(cache, std::move(name));
}

void RoutedTier::finish(const std::string& cache, const SharedMark& mark, std::string value,
                        Duration left) {
  const MutexLock lock{mutex_};
  const TierPtr& tier = routes_[names_.bucket_in(mark.key)];
  if (!tier) return undelivered_.add(cache, mark.key);
  tier->finish(cache, mark, std::move(value), left);
}

void RoutedTier::leave(const std::string& cache, const SharedMark& mark, Duration life) {
  const MutexLock lock{mutex_};
  const TierPtr& tier = routes_[names_.bucket_in(mark.key)];
  if (!tier) return undelivered_.add(cache, mark.key);
  tier->leave(cache, mark, life);
}

void RoutedTier::clear(const std::string& cache) {
  const MutexLock lock{mutex_};
  if (!everywhere(routes_)) undelivered_.add_whole(cache);
  for (const auto& [place, tier] : tiers_) tier->clear(cache);
}

void RoutedTier::once_told(Confirmations::Then then) {
  std::vector<TierPtr> tiers;
  {
    const MutexLock lock{mutex_};
    for (const auto& [place, tier] : tiers_) tiers.push_back(tier);
  }
  shared::once_told(tiers, std::move(then));
}

void RoutedTier::listen(const std::string& cache, std::weak_ptr<SharedListener> listener) {
  const MutexLock lock{mutex_};
  std::erase_if(listening_, [](const Listening& each) { return each.listener.expired(); });
  listening_.push_back({.cache = cache, .listener = listener});
  for (const auto& [place, tier] : tiers_) tier->listen(cache, listener);
}

void RoutedTier::moved(const std::string& cache, std::optional<std::string> name) {
  const MutexLock lock{mutex_};
  if (closed_) return;
  if (name) {
    undelivered_.add(cache, std::move(*name));
  } else {
    undelivered_.add_whole(cache);
  }
  guide_->suspect();  // whose answer has it told
}

void RoutedTier::suspect() {
  const MutexLock lock{mutex_};
  if (!closed_) guide_->suspect();
}

RoutedTier::TierPtr RoutedTier::at(const redis::Place& place) {
  const MutexLock lock{mutex_};
  const auto found = tiers_.find(place);
  return found == tiers_.end() ? nullptr : found->second;
}

// ---- Where the masters are. ----

// The masters that have buckets. Few do not.
std::vector<RoutedTier::Assignment> RoutedTier::assignments(const redis::Topology& topology) const {
  std::vector<Assignment> all;
  for (const redis::Master& master : topology) {
    Assignment assignment{.place = master.place, .buckets = {}};
    if (in_cluster()) {
      for (unsigned i = 0; i < KeyNames::kBuckets; ++i) {
        const auto bucket = static_cast<KeyNames::Bucket>(i);
        if (master.has(KeyNames::slot(bucket))) assignment.buckets.insert(bucket);
      }
    } else {
      assignment.buckets.insert(0);
    }
    if (!assignment.buckets.empty()) all.push_back(std::move(assignment));
  }
  return all;
}

// What earlier masters could not be told is with the later ones before a read is sent there:
// the routes change last.
void RoutedTier::guided(const redis::Topology& topology) {
  const std::vector<Assignment> now = assignments(topology);
  std::vector<TierPtr> retired;
  bool whole = false;
  bool begun = true;
  bool changes = false;
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    std::erase_if(tiers_, [&](const auto& each) {
      mutex_.assert_held();
      if (std::ranges::find(now, each.first, &Assignment::place) != now.end()) return false;
      undelivered_.add(each.second->retire());
      past_ += each.second->stats();
      retired.push_back(each.second);
      return true;
    });
    Routes routes;
    for (const Assignment& assignment : now) {
      TierPtr& tier = tiers_[assignment.place];
      if (!tier) tier = begin(assignment.place);
      if (!tier) {
        begun = false;
        continue;
      }
      if (in_cluster()) undelivered_.add(tier->assign(assignment.buckets));
      for (const KeyNames::Bucket bucket : assignment.buckets) routes[bucket] = tier;
    }
    std::erase_if(tiers_, [](const auto& each) { return each.second == nullptr; });
    whole = everywhere(routes);
    // A server that could not be begun has its own trouble.
    const bool known = in_cluster() && begun;
    changes = known && std::exchange(holes_told_, !whole) == whole;
    if (known && !whole) trouble_ = kHoles;
    // What is invalidated of a bucket that nobody has is not heard.
    if (whole) {
      hearing_->forget(this);
    } else {
      hearing_->expect(this);
    }
    const bool changed = routes != routes_;
    std::swap(routes_, routes);
    distribute(changed);
    for (const auto& [place, tier] : tiers_) tier->vouch();
  }
  for (const TierPtr& each : retired) each->close();
  if (!changes || !options_.tell) return;
  options_.tell(whole,
                options_.wording.name + ": " +
                    (whole ? "each slot of the cluster has a master"
                           : kHoles + ("; " + options_.wording.holes) + " until they have one"));
}

RoutedTier::TierPtr RoutedTier::begin(const redis::Place& place) {
  RedisTierOptions options = options_;
  options.url = options_.url.server_at(place);
  options.in_cluster = in_cluster();
  options.elsewhere = weak_from_this();
  options.hearing = hearing_;
  auto started = RedisTier::start(runtime_, std::move(options));
  if (!started) {  // its PEM files could be read at the start; the guide asks again
    trouble_ = started.error().message;
    return nullptr;
  }
  for (const Listening& each : listening_) (*started)->listen(each.cache, each.listener);
  return std::move(*started);
}

void RoutedTier::drop_memory() {
  std::vector<Listening> listening;
  {
    const MutexLock lock{mutex_};
    listening = listening_;
  }
  for (const Listening& each : listening) {
    if (const auto listener = each.listener.lock()) listener->cleared();
  }
}

// Has those told who have the buckets now. A whole cache is kept while some bucket has nobody,
// and told again when that changes.
void RoutedTier::distribute(bool changed) {
  const Undelivered::Batch batch = undelivered_.take();
  std::map<TierPtr, Undelivered::Batch> by_tier;
  for (const std::string& cache : batch.whole) {
    if (!everywhere(routes_)) undelivered_.add_whole(cache);
    if (!everywhere(routes_) && !changed) continue;
    for (const auto& [place, tier] : tiers_) by_tier[tier].whole.insert(cache);
  }
  for (const auto& [cache, names] : batch.keys) {
    for (const std::string& name : names) {
      const TierPtr& tier = routes_[names_.bucket_in(name)];
      if (tier) {
        by_tier[tier].keys[cache].insert(name);
      } else {
        undelivered_.add(cache, name);
      }
    }
  }
  for (const auto& [tier, part] : by_tier) tier->adopt(part);
}

void RoutedTier::lost_way(const Error& why) {
  bool first = false;
  {
    const MutexLock lock{mutex_};
    trouble_ = why.message;
    first = tiers_.empty() && !std::exchange(told_, true);
  }
  if (first && options_.tell) {
    options_.tell(false, options_.wording.name + ": " + why.message + "; " + options_.wording.lost +
                             " until it is there again");
  }
}

}  // namespace larder::shared
