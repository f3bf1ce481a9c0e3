// INFO: what Redis's own tools and clients look for, under Redis's names, and
// larder's caches in a section of their own.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "larder/version.hpp"
#include "server/commands/commands.hpp"
#include "server/process_usage.hpp"
#include "server/server_state.hpp"
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

CacheStats all_caches(const Keyspace& keyspace) {
  CacheStats sum;
  const auto members = keyspace.members();
  for (const Keyspace::Member& member : *members) {
    const CacheStats stats = member.cache->stats();
    sum.hits += stats.hits;
    sum.misses += stats.misses;
  }
  return sum;
}

void server(const ServerState& state, Lines& lines) {
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

void clients(const ServerState& state, Lines& lines) {
  lines.title("Clients");
  lines.add("connected_clients", state.sum(&Counters::connections));
  lines.add("maxclients", state.limits().max_clients);
  lines.add("blocked_clients", 0);
}

void memory(const ServerState& state, Lines& lines) {
  const std::uint64_t used = state.keyspace().tier().stats().bytes;
  const std::uint64_t resident = process_usage().resident.bytes;
  const ByteCount capacity = state.keyspace().tier().capacity();
  lines.title("Memory");
  lines.add("used_memory", used);
  lines.add("used_memory_human", format_bytes({used}));
  lines.add("used_memory_rss", resident);
  lines.add("used_memory_rss_human", format_bytes({resident}));
  lines.add("maxmemory", capacity.bytes);
  lines.add("maxmemory_human", format_bytes(capacity));
}

// Clients wait until a server says that it has loaded its data.
void persistence(const ServerState&, Lines& lines) {
  lines.title("Persistence");
  lines.add("loading", 0);
  lines.add("aof_enabled", 0);
}

void stats(const ServerState& state, Lines& lines) {
  const CacheStats caches = all_caches(state.keyspace());
  const MemoryStats tier = state.keyspace().tier().stats();
  lines.title("Stats");
  lines.add("total_connections_received", state.sum(&Counters::connections_taken));
  lines.add("total_commands_processed", state.sum(&Counters::commands));
  lines.add("total_net_input_bytes", state.sum(&Counters::bytes_received));
  lines.add("total_net_output_bytes", state.sum(&Counters::bytes_sent));
  lines.add("rejected_connections", state.rejected());
  lines.add("expired_keys", tier.expirations);
  lines.add("evicted_keys", tier.evictions);
  lines.add("keyspace_hits", caches.hits);
  lines.add("keyspace_misses", caches.misses);
  lines.add("total_error_replies", state.sum(&Counters::error_replies));
  lines.add("total_reads_processed", state.sum(&Counters::reads));
  lines.add("total_writes_processed", state.sum(&Counters::writes));
}

void replication(const ServerState&, Lines& lines) {
  lines.title("Replication");
  lines.add("role", "master");
  lines.add("connected_slaves", 0);
}

std::string seconds(Duration time) {
  return std::to_string(std::chrono::duration<double>(time).count());
}

void cpu(const ServerState&, Lines& lines) {
  const ProcessUsage usage = process_usage();
  lines.title("CPU");
  lines.add("used_cpu_sys", seconds(usage.system_time));
  lines.add("used_cpu_user", seconds(usage.user_time));
}

void command_stats(const ServerState& state, Lines& lines) {
  lines.title("Commandstats");
  for (const Command& each : all_commands()) {
    const std::uint64_t calls = state.calls(index_of(each));
    if (calls > 0) lines.add("cmdstat_" + std::string{each.name}, "calls=" + std::to_string(calls));
  }
}

void keyspace(const ServerState& state, Lines& lines) {
  const MemoryStats stats = state.keyspace().tier().stats();
  const std::uint64_t entries = stats.entries - stats.absences;
  lines.title("Keyspace");
  // Every entry has a time to live.
  if (entries > 0) {
    lines.add("db0", "keys=" + std::to_string(entries) + ",expires=" + std::to_string(entries));
  }
}

void caches(const ServerState& state, Lines& lines) {
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
  void (*write)(const ServerState&, Lines&);
  bool by_default = true;
};
constexpr Section kSections[] = {
    {"server", server},     {"clients", clients},
    {"memory", memory},     {"persistence", persistence},
    {"stats", stats},       {"replication", replication},
    {"cpu", cpu},           {"commandstats", command_stats, false},
    {"keyspace", keyspace}, {"larder", caches},
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
  std::string text;
  Lines lines{text};
  for (const Section& section : kSections) {
    if (wanted(section, words.subspan(1))) section.write(session.context().server, lines);
  }
  session.reply().verbatim("txt", text);
}

}  // namespace larder::commands
