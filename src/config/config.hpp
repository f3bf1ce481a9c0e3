// The configuration file, as typed values. Defaults stand here; what a setting
// means, its range and its consequence stand in its record (settings.cpp).
//
// A Config that parse_config() gave is whole: names refer to what is there,
// values are in range, patterns do not overlap.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_pattern.hpp"
#include "config/problem.hpp"
#include "config/secret.hpp"
#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder {

// Where a section and its settings were written, for messages about them.
struct Written {
  struct Place {
    Position position;   // where the value begins
    bool usable = true;  // no mistake in it by itself
    std::string from{};  // "the value of env:NAME" where it may be a secret; empty: the file
  };
  Position section;
  std::map<std::string, Place, std::less<>> settings;

  [[nodiscard]] bool has(std::string_view setting) const { return settings.contains(setting); }
  // Given with a mistake, which is reported already: what stands in its place says nothing.
  [[nodiscard]] bool mistaken(std::string_view setting) const {
    const auto found = settings.find(setting);
    return found != settings.end() && !found->second.usable;
  }
  // `value` as a message may show it: only where it comes from, if not from the file.
  [[nodiscard]] std::string shown(std::string_view setting, std::string value) const {
    const auto found = settings.find(setting);
    return found == settings.end() || found->second.from.empty() ? value : found->second.from;
  }
  // Whether the setting's value may be shown.
  [[nodiscard]] bool in_file(std::string_view setting) const { return shown(setting, {}).empty(); }
  // The setting's value, or the section where it was left out.
  [[nodiscard]] Position of(std::string_view setting) const {
    const auto found = settings.find(setting);
    return found == settings.end() ? section : found->second.position;
  }
};

struct ServerConfig {
  std::string listen = "127.0.0.1:6380";  // the RESP door; empty: no TCP
  std::string unix_socket;                // a path, from the file's folder; empty: none
  std::string unix_permissions = "0600";
  std::string admin = "127.0.0.1:9380";  // metrics and health; empty: none
  unsigned threads = 0;                  // I/O threads; 0: one a core
  // Limits.
  unsigned max_clients = 10'000;
  unsigned max_clients_per_address = 0;  // 0: no limit of its own
  unsigned connection_rate = 0;          // of one address, a second; 0: any
  unsigned total_connection_rate = 0;    // of all addresses together
  ByteCount max_request{64ULL << 20};    // one command with all its arguments
  unsigned max_arguments = 1'048'576;    // of one command
  ByteCount max_key{64ULL << 10};
  ByteCount max_value{32ULL << 20};
  ByteCount max_reply_buffer{64ULL << 20};     // replies that a client has not read yet
  unsigned max_pipeline = 10'000;              // commands of one client awaiting their replies
  ByteCount max_client_memory{512ULL << 20};   // what all clients keep of it together
  ByteCount max_tracking_memory{64ULL << 20};  // what is remembered for CLIENT TRACKING
  ByteCount max_lease_memory{16ULL << 20};     // what LARDER LEASE gave out
  Duration idle_timeout{};                     // of a client that says nothing; 0: never
  Duration login_timeout = std::chrono::seconds{10};  // of a client that is nobody; 0: never
  Duration slowlog_slower_than = std::chrono::milliseconds{10};
  unsigned slowlog_entries = 128;                        // 0: none
  Duration shutdown_timeout = std::chrono::seconds{10};  // to finish what was asked
  // Access.
  Secret password;                       // of the user `default`, hashed; empty: none
  bool allow_insecure = false;           // whoever reaches an address may do everything
  std::vector<std::string> admin_hosts;  // names by which the admin door may be called

  Written written{};
};

// PEM files, from the file's folder. Empty, all of them: no TLS.
struct TlsConfig {
  std::string certificate;
  std::string key;
  std::string client_ca;
  bool admin = false;  // the admin door speaks it, too

  Written written{};
};

struct UserConfig {
  std::string name;
  Secret password;                  // hashed; empty: none, of `default` alone
  std::vector<std::string> rights;  // "read:product"

  Written written{};
};

struct MemoryConfig {
  ByteCount capacity{256ULL << 20};

  Written written{};
};

// A tier that many processes share. Without a URL there is none.
struct SharedConfig {
  Secret url;        // as written, resolved; describe_url() to show it
  Secret backplane;  // likewise, of a Redis beside Memcached; empty: none
  std::string name_space = "larder";
  Duration memory_ttl = std::chrono::seconds{1};
  Duration timeout = std::chrono::milliseconds{250};  // of a command
  Duration lease = std::chrono::seconds{3};           // after its holder's last sign of life

  Written written{};
};

enum class SourceKind : std::uint8_t { kSqlite, kPostgres };

struct SourceConfig {
  std::string name;
  Secret url;  // as written, resolved; describe_url() to show it
  SourceKind kind = SourceKind::kSqlite;
  std::string path;              // of a SQLite file, from the file's folder
  unsigned connections = 4;      // for reading
  bool prepared = true;          // statements, once a session; of PostgreSQL
  unsigned max_loads = 16;       // loads at a time; further ones wait in order
  unsigned max_fleet_loads = 0;  // of all processes over the shared tier; 0: without limit
  unsigned max_waiting = 1024;   // loads that wait; further ones fail at once
  Duration load_timeout = std::chrono::seconds{10};
  Duration wait_timeout = std::chrono::seconds{10};  // of what a load waits before it runs

  Written written{};
};

// Where acknowledged writes wait for their source. Without a path there is none.
struct JournalConfig {
  std::string path;  // a folder, from the file's folder
  ByteCount limit{1ULL << 30};
  Duration interval = std::chrono::seconds{1};  // between syncs of what nobody waits for

  Written written{};
};

enum class StrategyKind : std::uint8_t { kCacheAside, kReadThrough, kWriteThrough, kWriteBehind };

[[nodiscard]] constexpr std::string_view to_string(StrategyKind strategy) {
  switch (strategy) {
    case StrategyKind::kCacheAside: return "cache-aside";
    case StrategyKind::kReadThrough: return "read-through";
    case StrategyKind::kWriteThrough: return "write-through";
    case StrategyKind::kWriteBehind: return "write-behind";
  }
  return "unknown";
}

struct CacheConfig {
  std::string name;
  KeyPattern key;
  std::string source;  // empty: a plain cache, filled by its clients
  std::string read;
  std::string read_many;                              // `:ids`
  bool many = false;                                  // all rows, as an array
  std::vector<std::string> json;                      // columns that hold JSON
  StrategyKind strategy = StrategyKind::kCacheAside;  // with a source: read-through
  Duration ttl = std::chrono::minutes{5};
  double jitter = 0.1;
  Duration negative_ttl = std::chrono::seconds{5};  // 0: absences are not kept
  bool shared = true;                               // with [shared]: keep copies there
  std::string on_shared_down = "write";             // what a write does then, or "refuse"
  std::string version;                              // of what the values mean
  std::string write;                                // the statement of a SET
  std::string remove;                               // of a DEL; empty: it only invalidates
  std::string keep = "row";                         // of a SET: "row" or "value"
  std::string row_version;                          // a field that `write` compares
  // Of a write-behind cache.
  std::string durability = "sync";  // "sync", "interval" or "memory"
  unsigned flush_batch = 256;       // writes of one transaction
  Duration flush_delay = std::chrono::milliseconds{10};
  bool coalesce = true;  // by default, what `write` allows; see coalesces()

  Written written{};
};

// Whether a cache writes to its source.
[[nodiscard]] inline bool writes(const CacheConfig& cache) {
  return cache.strategy == StrategyKind::kWriteThrough ||
         cache.strategy == StrategyKind::kWriteBehind;
}

// Whether its later writes may go for earlier ones: as it says, or else where the statement
// allows.
[[nodiscard]] bool coalesces(const CacheConfig& cache);

struct Config {
  std::string file;  // as it was named, for messages
  ServerConfig server;
  TlsConfig tls;
  MemoryConfig memory;
  SharedConfig shared;
  JournalConfig journal;
  std::vector<UserConfig> users;
  std::vector<SourceConfig> sources;  // as they stand in the file
  std::vector<CacheConfig> caches;
};

}  // namespace larder
