#include "server/server_stats.hpp"

#include "server/server_state.hpp"

namespace larder {

namespace {

void subtract(std::uint64_t& from, std::uint64_t n) { from -= n < from ? n : from; }

}  // namespace

ServerStats ServerStats::of(const ServerState& state) {
  ServerStats stats{.rejected_connections = state.rejected()};
  for (const Counters& each : state.counters()) {
    stats.connections_taken += each.connections_taken.value();
    stats.commands += each.commands.value();
    stats.bytes_received += each.bytes_received.value();
    stats.bytes_sent += each.bytes_sent.value();
    stats.reads += each.reads.value();
    stats.writes += each.writes.value();
    stats.error_replies += each.error_replies.value();
    for (std::size_t i = 0; i < kErrorPrefixes.size(); ++i) {
      stats.errors[i] += each.errors_by_prefix[i].value();
    }
    for (std::size_t i = 0; i < counted_commands().size(); ++i) {
      OfCommand& command = stats.by_command[i];
      command.calls += each.by_command[i].value();
      command.rejected += each.rejected_by_command[i].value();
      command.failed += each.failed_by_command[i].value();
      command.nanoseconds += each.time_by_command[i].value();
      for (std::size_t step = 0; step < kLatencySteps; ++step) {
        command.steps[step] += each.steps_by_command[i][step].value();
      }
    }
  }
  const MemoryStats tier = state.keyspace().tier().stats();
  stats.expirations = tier.expirations;
  stats.evictions = tier.evictions;
  const auto members = state.keyspace().members();
  for (const Keyspace::Member& member : *members) {
    const CacheStats cache = member.cache->stats();
    stats.hits += cache.hits;
    stats.misses += cache.misses;
  }
  return stats;
}

ServerStats ServerStats::since(const ServerStats& earlier) const {
  ServerStats stats = *this;
  for (const auto member :
       {&ServerStats::connections_taken, &ServerStats::rejected_connections, &ServerStats::commands,
        &ServerStats::bytes_received, &ServerStats::bytes_sent, &ServerStats::reads,
        &ServerStats::writes, &ServerStats::error_replies, &ServerStats::expirations,
        &ServerStats::evictions, &ServerStats::hits, &ServerStats::misses}) {
    subtract(stats.*member, earlier.*member);
  }
  for (std::size_t i = 0; i < errors.size(); ++i) subtract(stats.errors[i], earlier.errors[i]);
  for (std::size_t i = 0; i < by_command.size(); ++i) {
    OfCommand& mine = stats.by_command[i];
    const OfCommand& theirs = earlier.by_command[i];
    subtract(mine.calls, theirs.calls);
    subtract(mine.rejected, theirs.rejected);
    subtract(mine.failed, theirs.failed);
    subtract(mine.nanoseconds, theirs.nanoseconds);
    for (std::size_t step = 0; step < kLatencySteps; ++step) {
      subtract(mine.steps[step], theirs.steps[step]);
    }
  }
  return stats;
}

}  // namespace larder
