// The configuration file, as typed values. Defaults stand here; what a setting
// means, its range and its consequence stand in its record (settings.hpp).
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/key_pattern.hpp"
#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder {

struct ServerConfig {
  std::string listen = "127.0.0.1:6380";  // the RESP door
  std::string admin = "127.0.0.1:9380";   // metrics and health; empty: none
  unsigned threads = 0;                   // I/O threads; 0: one a core
  // Limits.
  unsigned max_clients = 10'000;
  ByteCount max_request{64ULL << 20};        // one command with all its arguments
  unsigned max_arguments = 1'048'576;        // of one command
  ByteCount max_key{64ULL << 10};
  ByteCount max_value{32ULL << 20};
  ByteCount max_reply_buffer{64ULL << 20};   // replies that a client has not read yet
  unsigned max_pipeline = 10'000;            // commands of one client awaiting their replies
  Duration shutdown_timeout = std::chrono::seconds{10};  // to finish what was asked
};

struct MemoryConfig {
  ByteCount capacity{256ULL << 20};
};

struct SourceConfig {
  std::string name;
  std::string url;                 // "sqlite:shop.db"; relative to the file's folder
  unsigned connections = 4;        // for reading
  unsigned max_loads = 16;         // loads at a time; further ones wait in order
  unsigned max_waiting = 1024;     // loads that wait; further ones fail at once
  Duration load_timeout = std::chrono::seconds{10};
};

enum class StrategyKind : std::uint8_t { kCacheAside, kReadThrough };

struct CacheConfig {
  std::string name;
  KeyPattern key;
  std::string source;              // empty: a plain cache, filled by its clients
  std::string read;
  std::string read_many;           // `:ids`
  bool many = false;               // all rows, as an array
  std::vector<std::string> json;   // columns that hold JSON
  StrategyKind strategy = StrategyKind::kCacheAside;  // with a source: read-through
  Duration ttl = std::chrono::minutes{5};
  double jitter = 0.1;
  Duration negative_ttl = std::chrono::seconds{5};
};

struct Config {
  std::string file;  // as it was named, for messages
  ServerConfig server;
  MemoryConfig memory;
  std::vector<SourceConfig> sources;
  std::vector<CacheConfig> caches;
};

}  // namespace larder
