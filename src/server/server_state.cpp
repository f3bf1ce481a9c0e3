#include "server/server_state.hpp"

#include <random>
#include <utility>

namespace larder {

namespace {

std::string random_run_id() {
  std::random_device random;
  std::string id(40, '0');
  for (char& digit : id) digit = "0123456789abcdef"[random() % 16];
  return id;
}

}  // namespace

ServerState::ServerState(Keyspace& keyspace, Limits limits, std::size_t threads, Identity identity,
                         std::shared_ptr<Authenticator> authenticator, StartReload start_reload)
    : keyspace_{keyspace},
      limits_{limits},
      identity_{std::move(identity)},
      authenticator_{std::move(authenticator)},
      start_reload_{std::move(start_reload)},
      run_id_{random_run_id()},
      started_{keyspace.clock().now()},
      gate_{threads},
      wall_clock_{keyspace.clock()},
      tracking_{threads},
      leases_{limits.max_lease_memory},
      rates_{keyspace.clock().now()},
      counters_(threads) {
  tracking_.set_limit(limits.max_tracking_memory);
  keyspace_.tier().listen(&changes_);
}

ServerStats ServerState::stats() const {
  const ServerStats all = ServerStats::of(*this);
  const MutexLock lock{mutex_};
  return all.since(forgotten_);
}

void ServerState::reset_stats() {
  const ServerStats all = ServerStats::of(*this);
  const MutexLock lock{mutex_};
  forgotten_ = all;
}

std::uint64_t ServerState::sum(Tally Counters::* tally) const {
  std::uint64_t sum = 0;
  for (const Counters& each : counters_) sum += (each.*tally).value();
  return sum;
}

std::uint64_t ServerState::rejected() const {
  std::uint64_t sum = 0;
  for (const auto& each : rejected_) sum += each.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t ServerState::met(LimitMet limit) const {
  std::uint64_t sum = 0;
  for (const Counters& each : counters_) {
    sum += each.limits_met[static_cast<std::size_t>(limit)].value();
  }
  return sum;
}

std::uint64_t ServerState::calls(std::size_t command) const {
  std::uint64_t sum = 0;
  for (const Counters& each : counters_) sum += each.by_command[command].value();
  return sum;
}

}  // namespace larder
