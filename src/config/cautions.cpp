#include "config/cautions.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/quantity.hpp"
#include "base/sql_assigns.hpp"

namespace larder {
namespace {

// Below this hardly two reads share a copy.
constexpr std::chrono::milliseconds kShortLife{100};

std::string path(const CacheConfig& cache, std::string_view setting) {
  return "caches." + cache.name + "." + std::string{setting};
}

// In small letters, and with one blank for each row of them.
std::string plain(std::string_view sql) {
  std::string text;
  for (const char c : sql) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) == 0) {
      text += static_cast<char>(std::tolower(byte));
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text;
}

// The table that a plain statement writes; empty: unknown, as of one that begins with WITH.
std::string table_of(std::string_view sql) {
  const std::string text = plain(sql);
  const auto before = [&]() -> std::size_t {
    if (text.starts_with("insert ") || text.starts_with("replace ") ||
        text.starts_with("delete ")) {
      const std::size_t into = text.find(text.starts_with("delete ") ? " from " : " into ");
      return into == std::string::npos ? into : into + 6;
    }
    if (!text.starts_with("update ")) return std::string::npos;
    return text.starts_with("update or ") ? text.find(' ', 10) + 1 : 7;
  }();
  if (before == std::string::npos) return {};
  const std::size_t end = std::min(text.find_first_of(" (;", before), text.size());
  std::string table = text.substr(before, end - before);
  std::erase(table, '"');
  return table;
}

bool is_plain_insert(std::string_view sql) {
  const std::string text = plain(sql);
  return text.starts_with("insert into ") && !text.contains("on conflict") &&
         !text.contains("on duplicate");
}

class Cautions {
 public:
  Cautions(const Config& config, std::vector<Problem>& problems)
      : config_{config}, problems_{problems} {}

  void run() {
    for (const CacheConfig& cache : config_.caches) {
      if (cache.source.empty()) continue;
      caution_of_jitter(cache);
      caution_of_short_life(cache);
      if (cache.strategy != StrategyKind::kWriteBehind) continue;
      caution_of_memory(cache);
      caution_of_coalescing(cache);
      caution_of_inserts(cache);
      caution_of_others(cache);
    }
  }

 private:
  void warn(const CacheConfig& cache, std::string_view setting, std::string message) {
    problems_.push_back({.position = cache.written.of(setting),
                         .severity = Problem::Severity::kWarning,
                         .message = path(cache, setting) + std::move(message)});
  }

  void caution_of_jitter(const CacheConfig& cache) {
    if (cache.jitter != 0 || !cache.written.has("jitter")) return;
    const bool behind = cache.strategy == StrategyKind::kWriteBehind;
    warn(cache, "jitter",
         behind ? " is 0, and rows that are written together are flushed, and loaded, together; "
                  "0.1 spreads them."
                : " is 0, so copies that were loaded together end together, and the source gets "
                  "their loads at once; 0.1 spreads them.");
  }

  void caution_of_short_life(const CacheConfig& cache) {
    if (!cache.written.has("ttl") || cache.written.mistaken("ttl") || cache.ttl >= kShortLife) {
      return;
    }
    warn(cache, "ttl",
         ", " + cache.written.shown("ttl", format_duration(cache.ttl)) +
             ", ends before most copies are read a second time, so nearly every read asks the "
             "source; give it a second or more, and invalidate what changes.");
  }

  void caution_of_memory(const CacheConfig& cache) {
    if (cache.durability != "memory") return;
    warn(cache, "durability",
         " is memory, so when this process is killed, acknowledged writes are lost that "
         "the source does not have yet; interval survives that at nearly the same cost.");
  }

  void caution_of_coalescing(const CacheConfig& cache) {
    if (!cache.written.has("coalesce") || !cache.coalesce || !cache.written.has("write") ||
        only_assigns(cache.write)) {
      return;
    }
    warn(cache, "coalesce",
         " is true, but write computes: of the writes of a key that wait together only the "
         "last is carried out. Remove it unless that is meant.");
  }

  void caution_of_inserts(const CacheConfig& cache) {
    if (!is_plain_insert(cache.write)) return;
    warn(cache, "write",
         " is a plain INSERT, so the second SET of a key is acknowledged, and then refused by the "
         "source: a dead letter. Add ON CONFLICT … DO UPDATE, or DO NOTHING if the first is to "
         "stay.");
  }

  // Each cache has a journal order and a lock of its own.
  void caution_of_others(const CacheConfig& cache) {
    const std::string table = table_of(cache.write);
    if (table.empty()) return;
    for (const CacheConfig& other : config_.caches) {
      const bool itself = &other == &cache;
      const bool told_there = other.strategy == StrategyKind::kWriteBehind && &other > &cache;
      if (itself || told_there || !writes(other) || other.source != cache.source) continue;
      if (table_of(other.write) != table) continue;
      warn(cache, "write",
           " writes to " + (cache.written.in_file("write") ? table : "a table") +
               ", and so does that of caches." + other.name +
               ": their writes reach a row in any order, and neither drops the other's copies. "
               "Write a row by one of them.");
    }
  }

  const Config& config_;
  std::vector<Problem>& problems_;
};

}  // namespace

void add_cautions(const Config& config, std::vector<Problem>& problems) {
  Cautions{config, problems}.run();
}

}  // namespace larder
