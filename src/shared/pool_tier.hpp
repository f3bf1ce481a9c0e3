// The shared tier over a pool of Memcached servers.
//
//   auto tier = PoolTier::start(runtime, {.url = url});
//   options.shared = (*tier)->copies("product", fingerprint);
//
// Each key has one server, by ketama's consistent hashing. A server that is gone is not
// replaced: reads of its keys go to the source until it is there again and was told what was
// invalidated meanwhile (pool_server.hpp). All processes over a pool must name the same
// servers, or they do not see each other's invalidations.
//
// Memcached tells nobody. With a backplane, a Redis beside the pool that keeps no copies, memory is
// told and vouched for as over a shared Redis (redis_tier.hpp). Without one SharedCopies::listen()
// listens to nothing, and what another process invalidates stays in this one's memory until its
// copy's time there is up. No bound on a fleet's loads in either case: fleet_gate() lets everybody
// in.
//
// Threads: any. Lifetime: held by shared_ptr; the runtime may end before it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/runtime.hpp"
#include "memcached/ketama.hpp"
#include "shared/key_names.hpp"
#include "shared/pool_server.hpp"
#include "shared/tier.hpp"

namespace larder::shared {

class PoolTier final : public Tier, public std::enable_shared_from_this<PoolTier> {
 public:
  // Begins to connect; nobody needs to be there yet. Errors: those of the backplane's PEM files.
  // REQUIRES: a server in the URL.
  [[nodiscard]] static Result<std::shared_ptr<PoolTier>> start(Runtime& runtime,
                                                               PoolOptions options);
  ~PoolTier() override = default;
  PoolTier(const PoolTier&) = delete;
  PoolTier& operator=(const PoolTier&) = delete;

  [[nodiscard]] std::shared_ptr<SharedCopies> copies(std::string cache,
                                                     std::uint64_t fingerprint) override;
  [[nodiscard]] std::shared_ptr<FleetGate> fleet_gate(FleetLimit limit) override;
  [[nodiscard]] std::shared_ptr<Hearing> hearing() const override {
    return backplane_ ? backplane_->hearing() : nullptr;
  }
  [[nodiscard]] bool trusted() const override;
  [[nodiscard]] std::string trouble() const override;
  [[nodiscard]] SharedStats stats() const override;
  void close() override;

  // ---- For its caches. ----

  [[nodiscard]] const KeyNames& names() const { return names_; }
  [[nodiscard]] const std::shared_ptr<Tier>& backplane() const { return backplane_; }  // or null
  [[nodiscard]] const std::shared_ptr<PoolServer>& server_of(std::string_view name) const {
    return servers_[ring_.server_of(name)];
  }
  [[nodiscard]] const std::vector<std::shared_ptr<PoolServer>>& servers() const { return servers_; }

 private:
  PoolTier(Runtime& runtime, const PoolOptions& options, std::shared_ptr<Tier> backplane);

  const KeyNames names_;
  const std::shared_ptr<Tier> backplane_;
  const memcached::Ketama ring_;
  std::vector<std::shared_ptr<PoolServer>> servers_;  // as the URL names them
};

}  // namespace larder::shared
