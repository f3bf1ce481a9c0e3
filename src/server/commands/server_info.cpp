// INFO: what Redis's own tools and clients look for, under Redis's names, and
// larder's caches in a section of their own.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "larder/version.hpp"
#include "server/commands/commands.hpp"
#include "server/process_usage.hpp"
#include "server/server_state.hpp"
#include "server/server_stats.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// The lines of one section.
class Lines {
 public:
  explicit Lines(std::string& out) : out_{out} {}

  void title(std::string_view name) {
    if (!out_.empty()) out_ += "\r\n";
    out_ += "# ";
    out_ += name;
    out_ += "\r\n";
  }
  void add(std::string_view name, std::string_view value) {
    out_ += name;
    out_ += ':';
    out_ += value;
    out_ += "\r\n";
  }
  void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }

 private:
  std::string& out_;
};

// What the sections are written from, each as it was when INFO began.
struct Asked {
  Session& session;
  const ServerState& state;
  ServerStats stats;
};

std::string fixed(double number, int digits_behind = 2) {
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                 std::chars_format::fixed, digits_behind)
                       .ptr;
  return std::string{digits.data(), end};
}

void server(Asked& asked, Lines& lines) {
  const ServerState& state = asked.state;
  utsname system{};
  uname(&system);
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(state.uptime()).count();
  lines.title("Server");
  lines.add("redis_version", kRedisVersion);
  lines.add("larder_version", kVersion);
  lines.add("redis_mode", "standalone");
  lines.add("os", std::string{system.sysname} + " " + system.release + " " + system.machine);
  lines.add("arch_bits", sizeof(void*) * 8);
  lines.add("multiplexing_api", "epoll");
  lines.add("process_id", static_cast<std::uint64_t>(getpid()));
  lines.add("run_id", state.run_id());
  lines.add("tcp_port", state.identity().port);
  lines.add("uptime_in_seconds", static_cast<std::uint64_t>(up));
  lines.add("uptime_in_days", static_cast<std::uint64_t>(up / 86400));
  lines.add("io_threads", state.counters().size());
  lines.add("config_file", state.identity().config_file);
}

void clients(Asked& asked, Lines& lines) {
  const ServerState& state = asked.state;
  lines.title("Clients");
  lines.add("connected_clients", state.sum(&Counters::connections));
  lines.add("maxclients", state.limits().max_clients);
  lines.add("blocked_clients", 0);
  lines.add("tracking_clients", state.tracking().counts().clients);
}

void memory(Asked& asked, Lines& lines) {
  const ServerState& state = asked.state;
  const std::uint64_t used = state.keyspace().tier().stats().bytes;
  const std::uint64_t resident = process_usage().resident.bytes;
  const ByteCount capacity = state.keyspace().tier().capacity();
  lines.title("Memory");
  lines.add("used_memory", used);
  lines.add("used_memory_human", format_bytes({used}));
  lines.add("used_memory_rss", resident);
  lines.add("used_memory_rss_human", format_bytes({resident}));
  lines.add("mem_clients_normal", state.client_memory());
  lines.add("maxmemory", capacity.bytes);
  lines.add("maxmemory_human", format_bytes(capacity));
}

// Clients wait until a server says that it has loaded its data.
void persistence(Asked&, Lines& lines) {
  lines.title("Persistence");
  lines.add("loading", 0);
  lines.add("aof_enabled", 0);
}

void stats(Asked& asked, Lines& lines) {
  ServerState& state = asked.session.context().server;
  const ServerStats& stats = asked.stats;
  const auto rates =
      state.rates().look({state.sum(&Counters::commands), state.sum(&Counters::bytes_received),
                          state.sum(&Counters::bytes_sent)},
                         asked.session.now());
  lines.title("Stats");
  lines.add("total_connections_received", stats.connections_taken);
  lines.add("total_commands_processed", stats.commands);
  lines.add("instantaneous_ops_per_sec", rates[0]);
  lines.add("total_net_input_bytes", stats.bytes_received);
  lines.add("total_net_output_bytes", stats.bytes_sent);
  lines.add("instantaneous_input_kbps", fixed(static_cast<double>(rates[1]) / 1024));
  lines.add("instantaneous_output_kbps", fixed(static_cast<double>(rates[2]) / 1024));
  lines.add("rejected_connections", stats.rejected_connections);
  lines.add("evicted_clients", state.sum(&Counters::closed_heavy));
  lines.add("expired_keys", stats.expirations);
  lines.add("evicted_keys", stats.evictions);
  lines.add("keyspace_hits", stats.hits);
  lines.add("keyspace_misses", stats.misses);
  const Tracking::Counts tracking = state.tracking().counts();
  lines.add("tracking_total_keys", tracking.keys);
  lines.add("tracking_total_items", tracking.items);
  lines.add("tracking_total_prefixes", tracking.prefixes);
  lines.add("total_error_replies", stats.error_replies);
  lines.add("total_reads_processed", stats.reads);
  lines.add("total_writes_processed", stats.writes);
}

void replication(Asked&, Lines& lines) {
  lines.title("Replication");
  lines.add("role", "master");
  lines.add("connected_slaves", 0);
}

std::string seconds(Duration time) {
  return std::to_string(std::chrono::duration<double>(time).count());
}

void cpu(Asked&, Lines& lines) {
  const ProcessUsage usage = process_usage();
  lines.title("CPU");
  lines.add("used_cpu_sys", seconds(usage.system_time));
  lines.add("used_cpu_user", seconds(usage.user_time));
}

void modules(Asked&, Lines& lines) { lines.title("Modules"); }

void command_stats(Asked& asked, Lines& lines) {
  lines.title("Commandstats");
  const auto names = counted_commands();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ServerStats::OfCommand& command = asked.stats.by_command[i];
    if (command.calls == 0 && command.rejected == 0) continue;
    const std::uint64_t usec = command.nanoseconds / 1000;
    const double mean =
        command.calls == 0 ? 0 : static_cast<double>(usec) / static_cast<double>(command.calls);
    lines.add("cmdstat_" + std::string{names[i]->name},
              "calls=" + std::to_string(command.calls) + ",usec=" + std::to_string(usec) +
                  ",usec_per_call=" + fixed(mean) +
                  ",rejected_calls=" + std::to_string(command.rejected) +
                  ",failed_calls=" + std::to_string(command.failed));
  }
}

void error_stats(Asked& asked, Lines& lines) {
  lines.title("Errorstats");
  for (std::size_t i = 0; i < kErrorPrefixes.size(); ++i) {
    const std::uint64_t count = asked.stats.errors[i];
    if (count == 0) continue;
    lines.add("errorstat_" + std::string{kErrorPrefixes[i]}, "count=" + std::to_string(count));
  }
}

// As Redis says its percentiles: each is the longest time of the step that it falls into.
void latency_stats(Asked& asked, Lines& lines) {
  lines.title("Latencystats");
  const auto names = counted_commands();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const LatencySteps& steps = asked.stats.by_command[i].steps;
    if (count_of(steps) == 0) continue;
    std::string percentiles;
    for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}) {
      const double usec = static_cast<double>(latency_percentile(steps, share)) / 1000;
      percentiles += (percentiles.empty() ? "" : ",") + std::string{name} + "=" + fixed(usec, 3);
    }
    lines.add("latency_percentiles_usec_" + std::string{names[i]->name}, percentiles);
  }
}

void cluster(Asked&, Lines& lines) {
  lines.title("Cluster");
  lines.add("cluster_enabled", 0);
}

// How long copies have left, reckoned from some of them; in milliseconds.
std::uint64_t mean_life(Session& session) {
  constexpr std::size_t kSome = 32;
  std::uint64_t count = 0;
  double sum = 0;
  const TimePoint now = session.now();
  session.keys().keyspace().tier().scan(
      0, kSome, now, [&](std::string_view, std::string_view, const EntryInfo& info) {
        ++count;
        sum += std::chrono::duration<double, std::milli>(info.usable_until - now).count();
      });
  return count == 0 ? 0 : static_cast<std::uint64_t>(sum / static_cast<double>(count));
}

void keyspace(Asked& asked, Lines& lines) {
  const std::string entries = std::to_string(asked.state.keyspace().tier().stats().entries);
  lines.title("Keyspace");
  // Every entry has a time to live.
  if (entries != "0") {
    lines.add("db0", "keys=" + entries + ",expires=" + entries +
                         ",avg_ttl=" + std::to_string(mean_life(asked.session)));
  }
}

void caches(Asked& asked, Lines& lines) {
  const ServerState& state = asked.state;
  lines.title("Larder");
  const auto members = state.keyspace().members();
  for (const Keyspace::Member& member : *members) {
    const CacheStats stats = member.cache->stats();
    lines.add("cache_" + member.cache->name(),
              "keys=" + std::to_string(stats.entries) + ",bytes=" + std::to_string(stats.bytes) +
                  ",hits=" + std::to_string(stats.hits) + ",misses=" +
                  std::to_string(stats.misses) + ",loads=" + std::to_string(stats.loads) +
                  ",load_failures=" + std::to_string(stats.load_failures) + ",load_seconds=" +
                  seconds(stats.load_time) + ",evicted=" + std::to_string(stats.evictions) +
                  ",expired=" + std::to_string(stats.expirations));
  }
}

struct Section {
  std::string_view name;
  void (*write)(Asked&, Lines&);
  bool by_default = true;
};
constexpr Section kSections[] = {
    {"server", server},
    {"clients", clients},
    {"memory", memory},
    {"persistence", persistence},
    {"stats", stats},
    {"replication", replication},
    {"cpu", cpu},
    {"modules", modules},
    {"commandstats", command_stats, false},
    {"errorstats", error_stats},
    {"latencystats", latency_stats, false},
    {"cluster", cluster},
    {"keyspace", keyspace},
    {"larder", caches},
};

bool wanted(const Section& section, Arguments names) {
  if (names.empty()) return section.by_default;
  return std::ranges::any_of(names, [&](std::string_view name) {
    return same_word(name, section.name) || same_word(name, "all") ||
           same_word(name, "everything") || (same_word(name, "default") && section.by_default);
  });
}

}  // namespace

void time(Session& session, Arguments) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  auto reply = session.reply();
  reply.array(2);
  reply.bulk(std::to_string(micros / 1'000'000));
  reply.bulk(std::to_string(micros % 1'000'000));
}

void info(Session& session, Arguments words) {
  const ServerState& state = session.context().server;
  Asked asked{.session = session, .state = state, .stats = state.stats()};
  std::string text;
  Lines lines{text};
  for (const Section& section : kSections) {
    if (wanted(section, words.subspan(1))) section.write(asked, lines);
  }
  session.reply().verbatim("txt", text);
}

}  // namespace larder::commands
