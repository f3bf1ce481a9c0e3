#include "shared/pool_tier.hpp"

#include <algorithm>
#include <utility>

#include "shared/hearing.hpp"
#include "shared/pool_copies.hpp"
#include "shared/routed_tier.hpp"

namespace larder::shared {
namespace {

memcached::Ketama ring_of(const memcached::MemcachedUrl& url) {
  std::vector<std::string> names;
  for (const memcached::Place& place : url.servers) names.push_back(ketama_name(place));
  return memcached::Ketama{names};
}

// Each process's own limit holds alone.
class OpenGate final : public FleetGate {
 public:
  void enter(std::move_only_function<void(Permit)> go) override { go(nullptr); }
};

// Null: there is none. It has the invalidations alone, and nobody reads there.
Result<std::shared_ptr<Tier>> start_backplane(Runtime& runtime, const PoolOptions& options) {
  if (!options.backplane) return nullptr;
  const std::string lost =
      "memory is believed for " + std::to_string(Hearing::kBound.count()) + " ms only";
  return start_redis(runtime, {.url = *options.backplane,
                               .name_space = options.name_space,
                               .timeout = options.timeout,
                               .most_undelivered = options.most_undelivered,
                               .tell = options.tell,
                               .wording = {.name = "the backplane", .lost = lost, .holes = lost}});
}

}  // namespace

Result<std::shared_ptr<PoolTier>> PoolTier::start(Runtime& runtime, PoolOptions options) {
  auto backplane = start_backplane(runtime, options);
  if (!backplane) return std::unexpected{std::move(backplane.error())};
  std::shared_ptr<PoolTier> tier{new PoolTier{runtime, options, std::move(*backplane)}};
  runtime.close_at_stop(tier);
  return tier;
}

PoolTier::PoolTier(Runtime& runtime, const PoolOptions& options, std::shared_ptr<Tier> backplane)
    : names_{options.name_space, false},
      backplane_{std::move(backplane)},
      ring_{ring_of(options.url)} {
  for (const memcached::Place& place : options.url.servers) {
    servers_.push_back(PoolServer::start(runtime, place, options, backplane_));
  }
}

void PoolTier::close() {
  for (const auto& server : servers_) server->close();
  if (backplane_) backplane_->close();
}

std::shared_ptr<SharedCopies> PoolTier::copies(std::string cache, std::uint64_t fingerprint) {
  return std::make_shared<PoolCopies>(shared_from_this(), std::move(cache), fingerprint);
}

std::shared_ptr<FleetGate> PoolTier::fleet_gate(FleetLimit /*limit*/) {
  return std::make_shared<OpenGate>();
}

bool PoolTier::trusted() const {
  return std::ranges::all_of(servers_, [](const auto& server) { return server->trusted(); });
}

std::string PoolTier::trouble() const {
  for (const auto& server : servers_) {
    if (std::string trouble = server->trouble(); !trouble.empty()) return trouble;
  }
  return {};
}

SharedStats PoolTier::stats() const {
  SharedStats sum;
  for (const auto& server : servers_) sum += server->stats();
  if (!backplane_) return sum;
  const SharedStats told = backplane_->stats();
  sum.heard = told.heard;
  sum.gaps = told.gaps;
  sum.errors += told.errors;
  sum.undelivered += told.undelivered;
  return sum;
}

}  // namespace larder::shared
