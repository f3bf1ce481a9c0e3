#include "shared/pool_tier.hpp"

#include <algorithm>
#include <utility>

#include "memcached/key_name.hpp"
#include "shared/pool_copies.hpp"

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

}  // namespace

std::shared_ptr<PoolTier> PoolTier::start(Runtime& runtime, PoolOptions options) {
  std::shared_ptr<PoolTier> tier{new PoolTier{runtime, options}};
  runtime.close_at_stop(tier);
  return tier;
}

PoolTier::PoolTier(Runtime& runtime, const PoolOptions& options)
    : names_{options.name_space, false}, ring_{ring_of(options.url)} {
  for (const memcached::Place& place : options.url.servers) {
    servers_.push_back(PoolServer::start(runtime, place, options));
  }
}

void PoolTier::close() {
  for (const auto& server : servers_) server->close();
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
  return sum;
}

std::string PoolTier::name(const std::string& cache, std::string_view key) const {
  return memcached::key_name(names_.value(cache, key));
}

}  // namespace larder::shared
