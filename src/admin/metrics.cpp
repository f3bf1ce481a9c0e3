#include "admin/metrics.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <sstream>
#include <string_view>
#include <utility>

#include "larder/version.hpp"
#include "server/process_usage.hpp"

namespace larder {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

class Families {
 public:
  // Begins a metric; the samples that follow are its.
  void begin(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }
  void counter(std::string name, std::string help) {
    begin(std::move(name), std::move(help), MetricType::Counter);
  }
  void gauge(std::string name, std::string help) {
    begin(std::move(name), std::move(help), MetricType::Gauge);
  }
  void sample(double value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  void sample(std::uint64_t value, std::vector<ClientMetric::Label> labels = {}) {
    sample(static_cast<double>(value), std::move(labels));
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  std::vector<MetricFamily> families_;
};

// One number of each cache's statistics.
struct CacheMetric {
  std::string_view name;
  std::string_view help;
  MetricType type;
  double (*value)(const CacheStats&);
};
constexpr double number(std::uint64_t n) { return static_cast<double>(n); }
constexpr CacheMetric kCacheMetrics[] = {
    {"larder_cache_hits_total", "Reads answered from memory", MetricType::Counter,
     [](const CacheStats& s) { return number(s.hits); }},
    {"larder_cache_negative_hits_total", "Hits that were the knowledge that there is no such row",
     MetricType::Counter, [](const CacheStats& s) { return number(s.negative_hits); }},
    {"larder_cache_shared_hits_total", "Misses of memory that the shared tier answered",
     MetricType::Counter, [](const CacheStats& s) { return number(s.shared_hits); }},
    {"larder_cache_misses_total", "Reads that memory could not answer", MetricType::Counter,
     [](const CacheStats& s) { return number(s.misses); }},
    {"larder_cache_loads_total", "Keys loaded from the source, or tried", MetricType::Counter,
     [](const CacheStats& s) { return number(s.loads); }},
    {"larder_cache_load_failures_total", "Loads that ended in an error", MetricType::Counter,
     [](const CacheStats& s) { return number(s.load_failures); }},
    {"larder_cache_load_batches_total", "Loads as the source saw them; one may carry many keys",
     MetricType::Counter, [](const CacheStats& s) { return number(s.batches); }},
    {"larder_cache_load_seconds_total", "Time that load batches took, in all", MetricType::Counter,
     [](const CacheStats& s) { return seconds(s.load_time); }},
    {"larder_cache_loads_refused_total", "Keys not loaded because too many loads waited",
     MetricType::Counter, [](const CacheStats& s) { return number(s.refused); }},
    {"larder_cache_writes_total", "Writes and removals that the source has done",
     MetricType::Counter, [](const CacheStats& s) { return number(s.writes); }},
    {"larder_cache_writes_rejected_total", "Writes that the source refused for good",
     MetricType::Counter, [](const CacheStats& s) { return number(s.writes_rejected); }},
    {"larder_cache_writes_failed_total", "Writes that were not done for another reason",
     MetricType::Counter, [](const CacheStats& s) { return number(s.writes_failed); }},
    {"larder_cache_writes_unknown_total", "Writes of which nobody knows whether they were done",
     MetricType::Counter, [](const CacheStats& s) { return number(s.writes_unknown); }},
    {"larder_cache_write_seconds_total", "Time that writes took, in all", MetricType::Counter,
     [](const CacheStats& s) { return seconds(s.write_time); }},
    {"larder_cache_invalidations_total", "Keys invalidated by clients", MetricType::Counter,
     [](const CacheStats& s) { return number(s.invalidations); }},
    {"larder_cache_evictions_total", "Entries removed to make room", MetricType::Counter,
     [](const CacheStats& s) { return number(s.evictions); }},
    {"larder_cache_expirations_total", "Entries removed because their time had come",
     MetricType::Counter, [](const CacheStats& s) { return number(s.expirations); }},
    {"larder_cache_too_large_total", "Values not kept: larger than memory takes",
     MetricType::Counter, [](const CacheStats& s) { return number(s.too_large); }},
    {"larder_cache_no_memory_total", "Values not kept: there was no room", MetricType::Counter,
     [](const CacheStats& s) { return number(s.no_memory); }},
    {"larder_cache_entries", "Entries in memory", MetricType::Gauge,
     [](const CacheStats& s) { return number(s.entries); }},
    {"larder_cache_absences", "Entries in memory that say: no such row", MetricType::Gauge,
     [](const CacheStats& s) { return number(s.absences); }},
    {"larder_cache_bytes", "Memory of the entries: keys, values and overhead", MetricType::Gauge,
     [](const CacheStats& s) { return number(s.bytes); }},
};

void add_caches(const Keyspace& keyspace, Families& families) {
  const auto members = keyspace.members();
  std::vector<std::pair<std::string, CacheStats>> caches;
  for (const Keyspace::Member& member : *members) {
    caches.emplace_back(member.cache->name(), member.cache->stats());
  }
  for (const CacheMetric& metric : kCacheMetrics) {
    families.begin(std::string{metric.name}, std::string{metric.help}, metric.type);
    for (const auto& [name, stats] : caches) {
      families.sample(metric.value(stats), {{"cache", name}});
    }
  }
  families.gauge("larder_memory_capacity_bytes", "What the memory tier may hold");
  families.sample(keyspace.tier().capacity().bytes);
}

void add_sources(const AssembledSources& sources, Families& families) {
  families.counter("larder_source_queries_total", "Statements run by the source");
  for (const AssembledSource& source : sources) {
    families.sample(source.queries(), {{"source", source.config.name}});
  }
  families.gauge("larder_source_up", "1: the source's last load was answered; 0: it failed");
  for (const AssembledSource& source : sources) {
    const bool well = source.state->standing().well;
    families.sample(std::uint64_t{well ? 1U : 0U}, {{"source", source.config.name}});
  }
}

void add_shared(const shared::Tier& tier, Families& families) {
  const SharedStats stats = tier.stats();
  families.gauge("larder_shared_up", "1: the shared tier is asked; 0: reads go to the sources");
  families.sample(std::uint64_t{tier.trusted() ? 1U : 0U});
  families.counter("larder_shared_connections_total", "Connections made to the shared tier");
  families.sample(stats.connections);
  families.counter("larder_shared_reads_total", "Keys asked of the shared tier, by the outcome");
  families.sample(stats.hits, {{"outcome", "copy"}});
  families.sample(stats.leases, {{"outcome", "lease"}});
  families.sample(stats.failures, {{"outcome", "failure"}});
  families.sample(stats.passed, {{"outcome", "passed"}});
  families.counter("larder_shared_waits_total", "Keys that waited for another process's load");
  families.sample(stats.waits);
  families.counter("larder_shared_misbelieved_total", "Values there that are misses, by why");
  families.sample(stats.foreign, {{"why", "foreign"}});
  families.sample(stats.stale, {{"why", "stale"}});
  families.sample(stats.corrupt, {{"why", "corrupt"}});
  families.counter("larder_shared_fills_total", "Values that this process left there, or not");
  families.sample(stats.fills, {{"outcome", "filled"}});
  families.sample(stats.refused_fills, {{"outcome", "refused"}});
  families.counter("larder_shared_marks_total",
                   "Keys marked there before a write, or written without since it took no mark");
  families.sample(stats.marks, {{"outcome", "taken"}});
  families.sample(stats.untaken_marks, {{"outcome", "not_taken"}});
  families.counter("larder_shared_errors_total", "Commands without an answer or with an error");
  families.sample(stats.errors);
  families.counter("larder_shared_heard_total", "Invalidations by other processes, told to memory");
  families.sample(stats.heard);
  families.counter("larder_shared_gaps_total",
                   "Times that some may have been missed, so that memory dropped its copies");
  families.sample(stats.gaps);
  families.gauge("larder_shared_undelivered", "Invalidations that it has yet to be told");
  families.sample(stats.undelivered);
}

void add_logins(const Authenticator& authenticator, Families& families) {
  constexpr std::pair<std::string_view, Login::Outcome> kOutcomes[] = {
      {"accepted", Login::Outcome::kAccepted},
      {"rejected", Login::Outcome::kRejected},
      {"limited", Login::Outcome::kLimited},
      {"busy", Login::Outcome::kBusy},
  };
  families.counter("larder_logins_total", "Attempts to log in, by what came of them");
  for (const auto& [name, outcome] : kOutcomes) {
    families.sample(authenticator.count(outcome), {{"outcome", std::string{name}}});
  }
}

void add_leases(const Leases::Counts& leases, Families& families) {
  families.gauge("larder_leases", "Keys whose value a client loads, under LARDER LEASE");
  families.sample(std::uint64_t{leases.held});
  families.gauge("larder_lease_waits", "Commands that wait for what such a client loads");
  families.sample(std::uint64_t{leases.waiting});
  families.gauge("larder_lease_bytes", "Memory of leases; see server.max_lease_memory");
  families.sample(std::uint64_t{leases.bytes});
  families.counter("larder_leases_total", "Leases that were given to clients");
  families.sample(leases.given);
  families.counter("larder_lease_ends_total", "Leases that ended, by what ended them");
  families.sample(leases.filled, {{"by", "fill"}});
  families.sample(leases.changed, {{"by", "change"}});
  families.sample(leases.returned, {{"by", "release"}});
  families.sample(leases.expired, {{"by", "time"}});
  families.counter("larder_lease_waits_in_vain_total",
                   "Waits that brought neither value nor lease");
  families.sample(leases.in_vain);
}

void add_server(const ServerState& state, Families& families) {
  using Rejection = ServerState::Rejection;
  constexpr std::pair<std::string_view, Rejection> kRejections[] = {
      {"max_clients", Rejection::kClients},
      {"max_clients_per_address", Rejection::kAddress},
      {"connection_rate", Rejection::kRate},
      {"total_connection_rate", Rejection::kTotalRate},
  };
  constexpr std::pair<std::string_view, LimitMet> kLimits[] = {
      {"max_request", LimitMet::kRequest},
      {"max_arguments", LimitMet::kArguments},
      {"max_key", LimitMet::kKey},
      {"max_value", LimitMet::kValue},
      {"max_reply_buffer", LimitMet::kReplyBuffer},
      {"max_pipeline", LimitMet::kPipeline},
      {"max_lease_memory", LimitMet::kLeases},
  };
  families.gauge("larder_connections", "Clients connected now");
  families.sample(state.sum(&Counters::connections));
  families.counter("larder_connections_total", "Clients that connected");
  families.sample(state.sum(&Counters::connections_taken));
  families.counter("larder_connections_rejected_total", "Clients turned away, by the limit met");
  for (const auto& [name, why] : kRejections) {
    families.sample(state.rejected(why), {{"limit", std::string{name}}});
  }
  families.counter("larder_connections_closed_total", "Clients cut off, by the limit met");
  families.sample(state.sum(&Counters::closed_idle), {{"limit", "idle_timeout"}});
  families.sample(state.sum(&Counters::closed_nobody), {{"limit", "login_timeout"}});
  families.sample(state.sum(&Counters::closed_heavy), {{"limit", "max_client_memory"}});
  families.gauge("larder_client_memory_bytes",
                 "What connections keep: commands that wait, replies that were not read");
  families.sample(state.client_memory());
  families.counter("larder_limits_met_total",
                   "Commands refused, or clients that had to wait, by the limit met");
  for (const auto& [name, limit] : kLimits) {
    families.sample(state.met(limit), {{"limit", std::string{name}}});
  }
  const Tracking::Counts tracking = state.tracking().counts();
  families.gauge("larder_tracking_clients", "Clients that are told which keys changed");
  families.sample(std::uint64_t{tracking.clients});
  families.gauge("larder_tracked_keys", "Keys that some of them hold, as far as is known");
  families.sample(std::uint64_t{tracking.keys});
  families.gauge("larder_tracking_bytes", "Memory of these keys; see server.max_tracking_memory");
  families.sample(std::uint64_t{tracking.bytes});
  families.counter("larder_tracking_told_total", "How often a client was told of a change");
  families.sample(tracking.told);
  families.counter("larder_tracking_evictions_total",
                   "Keys that were told to have changed for lack of max_tracking_memory");
  families.sample(tracking.evicted);
  add_leases(state.leases().counts(), families);
  families.counter("larder_commands_total", "Commands carried out");
  const auto commands = counted_commands();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    families.sample(state.calls(i), {{"command", std::string{commands[i]->name}}});
  }
  families.counter("larder_error_replies_total", "Commands answered with an error");
  families.sample(state.sum(&Counters::error_replies));
  families.counter("larder_protocol_errors_total", "Connections closed for malformed requests");
  families.sample(state.sum(&Counters::protocol_errors));
  families.counter("larder_tls_failures_total", "Connections whose TLS went wrong");
  families.sample(state.sum(&Counters::tls_failures));
  add_logins(state.authenticator(), families);
  families.counter("larder_received_bytes_total", "Bytes that clients sent");
  families.sample(state.sum(&Counters::bytes_received));
  families.counter("larder_sent_bytes_total", "Bytes sent to clients");
  families.sample(state.sum(&Counters::bytes_sent));
}

// One number of what a cache has written behind.
struct BehindMetric {
  std::string_view name;
  std::string_view help;
  MetricType type;
  double (*value)(const behind::WriteBehindStats&);
};
using Behind = behind::WriteBehindStats;
constexpr BehindMetric kBehindMetrics[] = {
    {"larder_write_behind_backlog", "Acknowledged writes that the source does not have yet",
     MetricType::Gauge, [](const Behind& s) { return number(s.backlog); }},
    {"larder_write_behind_backlog_bytes", "Keys and values of these", MetricType::Gauge,
     [](const Behind& s) { return number(s.backlog_bytes); }},
    {"larder_write_behind_lag_seconds", "How long ago the oldest of these was acknowledged",
     MetricType::Gauge, [](const Behind& s) { return seconds(s.lag); }},
    {"larder_write_behind_failing_seconds", "Since when all that is tried fails; 0: it does not",
     MetricType::Gauge, [](const Behind& s) { return seconds(s.failing.value_or(Duration{})); }},
    {"larder_write_behind_flushed_total", "Writes that the source has got", MetricType::Counter,
     [](const Behind& s) { return number(s.flushed); }},
    {"larder_write_behind_sent_total", "Writes that were sent for these, and again after failures",
     MetricType::Counter, [](const Behind& s) { return number(s.sent); }},
    {"larder_write_behind_batches_total", "Batches that they were sent in", MetricType::Counter,
     [](const Behind& s) { return number(s.batches); }},
    {"larder_write_behind_retries_total", "Writes that failed, to be sent again",
     MetricType::Counter, [](const Behind& s) { return number(s.retries); }},
    {"larder_write_behind_dead_letters_total", "Writes that the source refused for good",
     MetricType::Counter, [](const Behind& s) { return number(s.dead); }},
};

void add_behind(const WritesBehind& writes, Families& families) {
  const auto caches = writes.stats();
  for (const BehindMetric& metric : kBehindMetrics) {
    if (metric.type == MetricType::Gauge) {
      families.gauge(std::string{metric.name}, std::string{metric.help});
    } else {
      families.counter(std::string{metric.name}, std::string{metric.help});
    }
    for (const auto& [name, stats] : caches)
      families.sample(metric.value(stats), {{"cache", name}});
  }
  families.gauge("larder_write_behind_once",
                 "1: the source keeps marks, and a write that is sent twice is done once");
  for (const auto& [name, once] : writes.once())
    families.sample(once ? 1.0 : 0.0, {{"cache", name}});
  const behind::JournalStats journal = writes.journal_stats();
  families.gauge("larder_journal_bytes", "What pending writes and dead letters count");
  families.sample(journal.bytes);
  families.gauge("larder_journal_limit_bytes", "journal.limit");
  families.sample(journal.limit);
  families.gauge("larder_journal_dead_letters", "Dead letters in the journal");
  families.sample(journal.dead_letters);
  families.gauge("larder_journal_damaged", "Writes that the disk changed, kept aside");
  families.sample(journal.damaged);
  families.gauge("larder_journal_broken", "1: the disk failed, and nothing is acknowledged");
  families.sample(journal.broken ? 1.0 : 0.0);
  families.counter("larder_journal_refused_total", "Writes refused because the journal was full");
  families.sample(journal.refused);
  families.counter("larder_journal_commits_total", "Times that the journal was written");
  families.sample(journal.commits);
}

void add_process(const ServerState& state, Families& families) {
  const ProcessUsage usage = process_usage();
  families.gauge("larder_build_info", "1; the version is the label");
  families.sample(1.0, {{"version", std::string{kVersion}}});
  families.gauge("larder_uptime_seconds", "Since the server started");
  families.sample(seconds(state.uptime()));
  families.gauge("process_resident_memory_bytes", "Resident memory size in bytes");
  families.sample(usage.resident.bytes);
  families.counter("process_cpu_seconds_total", "Total user and system CPU time in seconds");
  families.sample(seconds(usage.user_time + usage.system_time));
  families.gauge("process_open_fds", "Number of open file descriptors");
  families.sample(std::uint64_t{usage.open_files});
}

}  // namespace

std::string metrics_text(const ServerState& state, const AssembledSources& sources,
                         const shared::Tier* shared, const WritesBehind* behind) {
  Families families;
  add_server(state, families);
  add_caches(state.keyspace(), families);
  add_sources(sources, families);
  if (shared != nullptr) add_shared(*shared, families);
  if (behind != nullptr) add_behind(*behind, families);
  add_process(state, families);
  return families.text();
}

}  // namespace larder
