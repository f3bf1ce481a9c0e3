#include "config/checks.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "access/rights.hpp"
#include "access/users.hpp"
#include "base/nearest_name.hpp"
#include "base/quantity.hpp"
#include "base/sql_parameters.hpp"
#include "config/address.hpp"
#include "config/cautions.hpp"
#include "config/setting_text.hpp"
#include "larder/memory_tier.hpp"
#include "memcached/memcached_url.hpp"

namespace larder {
namespace {

class Checks {
 public:
  Checks(const Config& config, std::vector<Problem>& problems)
      : config_{config}, problems_{problems} {
    for (const SourceConfig& source : config.sources) source_names_.push_back(source.name);
  }

  void run() {
    check_server();
    check_reach();
    for (const UserConfig& user : config_.users) check_user(user);
    if (config_.caches.empty()) {
      mistake({1, 1},
              "there is no cache, so every key would be refused; add one, as [caches.product] with "
              "key = \"product:{id:int}\".");
    }
    check_journal();
    for (const CacheConfig& cache : config_.caches) {
      check_source(cache);
      check_statements(cache);
      check_lifetimes(cache);
    }
    check_overlaps();
    check_unused_sources();
    check_fleet_loads();
    add_cautions(config_, problems_);
    check_backplane();
    check_memcached();
  }

 private:
  void mistake(Position position, std::string message) {
    problems_.push_back({.position = position, .message = std::move(message)});
  }
  void warning(Position position, std::string message) {
    problems_.push_back({.position = position,
                         .severity = Problem::Severity::kWarning,
                         .message = std::move(message)});
  }
  static std::string path(const CacheConfig& cache, std::string_view setting) {
    return "caches." + cache.name + "." + std::string{setting};
  }

  void check_server() {
    const ServerConfig& server = config_.server;
    // A mistaken address stands at its default here, which nobody wrote.
    const bool addressed = !server.written.mistaken("listen") && !server.written.mistaken("admin");
    const auto listen = parse_address(server.listen);
    const auto admin = parse_address(server.admin);
    if (addressed && listen && admin && collide(*listen, *admin)) {
      const bool at_admin = server.written.has("admin");
      mistake(server.written.of(at_admin ? "admin" : "listen"),
              "server.listen, " + server.written.shown("listen", server.listen) +
                  ", and server.admin, " + server.written.shown("admin", server.admin) +
                  ", want the same port; give each its own.");
    }
    check_unix_socket();
    check_client_memory();
    check_largest_value();
  }

  void check_largest_value() {
    const ServerConfig& server = config_.server;
    if (server.written.has("max_value") && server.max_value > server.max_request) {
      warning(server.written.of("max_value"),
              "server.max_value, " +
                  server.written.shown("max_value", format_bytes(server.max_value)) +
                  ", is more than server.max_request, " +
                  server.written.shown("max_request", format_bytes(server.max_request)) +
                  ", so a client can never set such a value; raise max_request.");
    }
    const ByteCount kept =
        MemoryTier<std::string, std::string>::largest_entry({.capacity = config_.memory.capacity});
    if (server.written.has("max_value") && server.max_value > kept &&
        !config_.memory.written.mistaken("capacity")) {
      warning(server.written.of("max_value"),
              "server.max_value, " +
                  server.written.shown("max_value", format_bytes(server.max_value)) +
                  ", is more than memory keeps as one entry, " + format_bytes(kept) +
                  "; a source's larger value is loaded anew by each read, and a client's is "
                  "refused; raise memory.capacity, or lower max_value.");
    }
  }

  // What one client may keep by itself has to fit into what all may.
  void check_client_memory() {
    const ServerConfig& server = config_.server;
    if (server.written.mistaken("max_client_memory")) return;
    for (const auto& [setting, size] : {std::pair{"max_request", server.max_request},
                                        {"max_reply_buffer", server.max_reply_buffer}}) {
      if (size <= server.max_client_memory || server.written.mistaken(setting)) continue;
      const bool at_all = server.written.has("max_client_memory");
      warning(
          server.written.of(at_all ? "max_client_memory" : setting),
          std::string{"server."} + setting + ", " +
              server.written.shown(setting, format_bytes(size)) +
              ", is more than max_client_memory, " +
              server.written.shown("max_client_memory", format_bytes(server.max_client_memory)) +
              ", so a client that makes use of it is closed; raise max_client_memory, or "
              "lower it.");
    }
  }

  void check_unix_socket() {
    const ServerConfig& server = config_.server;
    if (server.unix_socket.empty()) {
      if (server.listen.empty() && !server.written.mistaken("unix_socket")) {
        mistake(server.written.of("listen"),
                "server.listen is empty, and there is no unix_socket, so nobody could connect; "
                "give one of them.");
      }
      if (server.written.has("unix_permissions") && !server.written.mistaken("unix_socket")) {
        warning(server.written.of("unix_permissions"),
                "server.unix_permissions changes nothing without unix_socket.");
      }
    } else if (server.unix_socket.size() > kLongestSocketPath) {
      mistake(server.written.of("unix_socket"),
              "server.unix_socket has " + std::to_string(server.unix_socket.size()) +
                  " bytes with the configuration file's folder; the system takes " +
                  std::to_string(kLongestSocketPath) + ", so choose a shorter path.");
    }
  }

  // Whether a client that says nothing is somebody.
  [[nodiscard]] bool open() const {
    const auto has_password = [](const UserConfig& user) {
      return !user.password.empty() || user.written.mistaken("password");
    };
    if (!config_.server.password.empty() || config_.server.written.mistaken("password")) {
      return false;
    }
    const auto anonymous = std::ranges::find(config_.users, kDefaultUser, &UserConfig::name);
    return config_.users.empty() || (anonymous != config_.users.end() && !has_password(*anonymous));
  }

  void check_reach() {
    const ServerConfig& server = config_.server;
    if (!open() || server.allow_insecure) return;
    for (const auto& [setting, text] :
         {std::pair{"listen", &server.listen}, {"admin", &server.admin}}) {
      const auto address = parse_address(*text);
      if (!address || is_loopback(*address) || server.written.mistaken(setting)) continue;
      mistake(server.written.of(setting),
              std::string{"server."} + setting + ", " +
                  server.written.shown(setting, in_quotes(*text)) +
                  ", is reached from other machines, and nobody is asked for a password; set "
                  "server.password to what `larder password` prints, or listen on 127.0.0.1, or, "
                  "if strangers cannot reach it, set allow_insecure = true.");
    }
  }

  void check_user(const UserConfig& user) {
    const std::string name = "users." + user.name;
    if (user.password.empty() && user.name != kDefaultUser && !user.written.mistaken("password")) {
      mistake(user.written.section, "[" + name +
                                        "] lacks password; add password = \"…\" with what "
                                        "`larder password` prints.");
    }
    if (user.name == kDefaultUser && !config_.server.password.empty()) {
      mistake(user.written.section,
              "[" + name + "] and server.password are both about the user default; remove one.");
    }
    for (const std::string& text : user.rights) check_right(user, text);
  }

  void check_right(const UserConfig& user, const std::string& text) {
    const Position position = user.written.of("rights");
    const auto grant = Grant::parse(text);
    if (!grant) {
      return mistake(position, "users." + user.name + ".rights has " + in_quotes(text) +
                                   ", which " + grant.error().message + ".");
    }
    std::vector<std::string_view> names{"*"};
    for (const CacheConfig& cache : config_.caches) names.push_back(cache.name);
    if (std::ranges::find(names, grant->cache) != names.end()) return;
    std::string message = "users." + user.name + ".rights has " + in_quotes(text) +
                          ", but there is no [caches." + grant->cache + "]";
    if (const auto nearest = nearest_name(grant->cache, names)) {
      message += "; did you mean " +
                 in_quotes(std::string{to_string(grant->right)} + ":" + std::string{*nearest}) +
                 "?";
    } else {
      message += "; there is " + list_names(names) + ".";
    }
    mistake(position, std::move(message));
  }

  void check_source(const CacheConfig& cache) {
    const bool has_source = cache.written.has("source");
    if (!cache.source.empty() && !knows(cache.source)) {
      mistake(cache.written.of("source"), unknown_source(cache));
    }
    if (has_source && !cache.written.mistaken("source") && !cache.written.has("read")) {
      mistake(cache.written.of("source"),
              path(cache, "source") +
                  " is given, but no read, so nothing can be loaded; add read "
                  "= \"SELECT …\".");
    }
    for (const std::string_view statement : {"read", "read_many", "write", "delete"}) {
      if (!has_source && cache.written.has(statement)) {
        mistake(cache.written.of(statement),
                path(cache, statement) + " is given, but no source to ask; add source = " +
                    in_quotes(source_names_.empty() ? "shop" : source_names_[0]) + ".");
      }
    }
    check_strategy(cache, has_source);
    check_writing(cache);
    if (has_source) return;
    for (const std::string_view setting : {"many", "json"}) {
      if (!cache.written.has(setting)) continue;
      warning(cache.written.of(setting),
              path(cache, setting) + " changes nothing in a cache without a source.");
    }
  }

  void check_journal() {
    const bool used = std::ranges::any_of(config_.caches, [](const CacheConfig& cache) {
      return cache.strategy == StrategyKind::kWriteBehind || cache.written.mistaken("strategy");
    });
    if (config_.journal.path.empty() || used) return;
    warning(config_.journal.written.section,
            "[journal] is used by no cache, since none is write-behind; larder only looks whether "
            "it still keeps writes.");
  }

  void check_writing(const CacheConfig& cache) {
    if (cache.written.mistaken("strategy")) return;
    if (writes(cache) && !cache.written.has("write")) {
      mistake(cache.written.of("strategy"),
              path(cache, "strategy") + " is " + std::string{to_string(cache.strategy)} +
                  ", but no write says how; add write = \"UPDATE …\".");
    }
    check_writing_behind(cache);
    check_sharing(cache);
    if (writes(cache)) return;
    for (const std::string_view setting : {"write", "delete", "keep", "row_version"}) {
      if (!cache.written.has(setting)) continue;
      mistake(cache.written.of(setting), path(cache, setting) + " is given, but the cache is " +
                                             std::string{to_string(cache.strategy)} +
                                             "; add strategy = \"write-through\", or remove it.");
    }
  }

  [[nodiscard]] bool over_memcached() const {
    return config_.shared.written.has("url") && !config_.shared.written.mistaken("url") &&
           memcached::is_memcached_url(config_.shared.url.reveal());
  }

  void check_backplane() {
    const Written& written = config_.shared.written;
    if (!written.has("backplane") || !written.has("url") || written.mistaken("url")) return;
    if (over_memcached()) return;
    mistake(written.of("backplane"),
            "shared.backplane is given, but shared.url names a Redis, which tells processes itself "
            "what others invalidate; remove backplane, or name Memcached servers in shared.url.");
  }

  // Memcached tells no process what another has invalidated.
  void check_memcached() {
    constexpr std::chrono::seconds kShort{1};
    const SharedConfig& shared = config_.shared;
    if (shared.written.has("backplane")) return;
    if (!over_memcached() || !shared.written.has("memory_ttl")) return;
    if (shared.written.mistaken("memory_ttl") || shared.memory_ttl <= kShort) return;
    warning(shared.written.of("memory_ttl"),
            "shared.memory_ttl is " + format_duration(shared.memory_ttl) +
                ", and Memcached tells no process what another invalidates: that long each may "
                "answer with an old copy. Set it to what readers may bear, \"1s\" or less, or to "
                "\"0s\" to ask Memcached each time, or name a Redis that tells them in "
                "shared.backplane.");
  }

  void check_fleet_loads() {
    for (const SourceConfig& source : config_.sources) {
      if (source.max_fleet_loads > 0 && over_memcached()) {
        mistake(source.written.of("max_fleet_loads"),
                "sources." + source.name +
                    ".max_fleet_loads is given, but processes cannot count their loads over "
                    "Memcached; remove it and set max_loads, which holds for each process, or name "
                    "a Redis in shared.url.");
        continue;
      }
      if (source.max_fleet_loads == 0 || config_.shared.written.has("url")) continue;
      warning(source.written.of("max_fleet_loads"),
              "sources." + source.name +
                  ".max_fleet_loads changes nothing without [shared], over which processes count "
                  "their loads.");
    }
  }

  void check_shared(const CacheConfig& cache) {
    if (!cache.written.has("shared") || cache.written.mistaken("shared") || !cache.shared) return;
    if (cache.strategy == StrategyKind::kWriteBehind) {
      mistake(cache.written.of("shared"),
              path(cache, "shared") +
                  " is true, but a write-behind cache answers with pending writes that other "
                  "processes do not have; remove it, or make the cache write-through.");
    } else if (!cache.written.has("source")) {
      warning(cache.written.of("shared"),
              path(cache, "shared") +
                  " changes nothing in a cache without a source, which is always this process's "
                  "own; remove it, or add source and read.");
    } else if (!config_.shared.written.has("url")) {
      warning(cache.written.of("shared"),
              path(cache, "shared") +
                  " changes nothing without [shared]; add [shared] with url = \"redis://…\", or "
                  "remove it.");
    }
  }

  void check_sharing(const CacheConfig& cache) {
    check_shared(cache);
    if (!cache.written.has("on_shared_down") || cache.written.mistaken("on_shared_down")) return;
    if (cache.strategy != StrategyKind::kWriteThrough) {
      mistake(cache.written.of("on_shared_down"),
              path(cache, "on_shared_down") + " is given, but the cache is " +
                  std::string{to_string(cache.strategy)} +
                  "; add strategy = \"write-through\", or remove it.");
    } else if (!config_.shared.written.has("url") || !cache.shared) {
      warning(cache.written.of("on_shared_down"),
              path(cache, "on_shared_down") +
                  " changes nothing, since the cache has no copies in a shared tier.");
    }
  }

  // What is acknowledged before the source has it cannot be answered as what it is not.
  void check_writing_behind(const CacheConfig& cache) {
    if (cache.strategy != StrategyKind::kWriteBehind) {
      for (const std::string_view setting :
           {"durability", "flush_batch", "flush_delay", "coalesce"}) {
        if (!cache.written.has(setting)) continue;
        mistake(cache.written.of(setting), path(cache, setting) + " is given, but the cache is " +
                                               std::string{to_string(cache.strategy)} +
                                               "; add strategy = \"write-behind\", or remove it.");
      }
      return;
    }
    if (config_.journal.path.empty() && !config_.journal.written.mistaken("path")) {
      mistake(cache.written.of("strategy"),
              path(cache, "strategy") +
                  " is write-behind, but there is no journal to keep what is acknowledged; add "
                  "[journal] with path = \"journal\".");
    }
    if (cache.many) {
      mistake(cache.written.of("many"),
              path(cache, "many") +
                  " is true, but a write-behind cache shows pending writes over the row that "
                  "read finds, and many makes it a list; make the cache write-through.");
    }
    if (cache.written.has("row_version")) {
      mistake(cache.written.of("row_version"),
              path(cache, "row_version") +
                  " is given, but a write-behind cache acknowledges a write before anybody can "
                  "know whether the row has changed; make the cache write-through.");
    }
  }

  void check_strategy(const CacheConfig& cache, bool has_source) {
    if (!cache.written.has("strategy") || cache.written.mistaken("strategy")) return;
    if (cache.strategy != StrategyKind::kCacheAside && !has_source) {
      mistake(cache.written.of("strategy"),
              path(cache, "strategy") + " is " + std::string{to_string(cache.strategy)} +
                  ", but there is no source to read from; add source and read, or make it "
                  "cache-aside.");
    }
    if (cache.strategy == StrategyKind::kCacheAside && has_source) {
      warning(cache.written.of("strategy"),
              path(cache, "strategy") +
                  " is cache-aside, so its source is never asked; make it read-through, or leave "
                  "source and read out.");
    }
  }

  [[nodiscard]] bool knows(std::string_view source) const {
    return std::ranges::find(source_names_, source) != source_names_.end();
  }

  [[nodiscard]] std::string unknown_source(const CacheConfig& cache) const {
    if (!cache.written.in_file("source")) {
      return path(cache, "source") + " is " + cache.written.shown("source", {}) +
             ", which names no [sources.NAME].";
    }
    std::string message = path(cache, "source") + " names " + in_quotes(cache.source) +
                          ", but there is no [sources." + cache.source + "]";
    if (source_names_.empty()) return message + "; add it, with its url.";
    if (const auto nearest = nearest_name(cache.source, source_names_)) {
      return message + "; did you mean " + in_quotes(*nearest) + "?";
    }
    return message + "; there is " + list_names(source_names_) + ".";
  }

  void check_statements(const CacheConfig& cache) {
    if (cache.key.text().empty()) return;  // no pattern to compare with
    if (!cache.read.empty()) check_read(cache);
    if (!cache.read_many.empty()) check_read_many(cache);
  }

  void check_read(const CacheConfig& cache) {
    std::vector<std::string_view> parts;
    for (const KeyPattern::Part& part : cache.key.parts()) parts.push_back(part.name);
    const auto used = check_parameters(cache, "read", cache.read, parts);
    for (const std::string_view part : parts) {
      if (used.contains(part)) continue;
      mistake(cache.written.of("read"),
              path(cache, "read") + " does not use the key's part {" + std::string{part} +
                  "}, so keys that differ in it alone would all have the same value; use :" +
                  std::string{part} + ", or take the part out of the key.");
    }
  }

  void check_read_many(const CacheConfig& cache) {
    const std::size_t parts = cache.key.parts().size();
    if (parts != 1) {
      mistake(cache.written.of("read_many"),
              path(cache, "read_many") + " needs a key with exactly one part, and " +
                  in_quotes(cache.key.text()) + " has " +
                  (parts == 0 ? "none" : std::to_string(parts)) +
                  "; leave read_many out, and many keys are read one by one.");
    }
    const auto used = check_parameters(cache, "read_many", cache.read_many, {"ids"});
    if (used.contains("ids")) return;
    mistake(
        cache.written.of("read_many"),
        path(cache, "read_many") +
            " does not use :ids, the list of the keys to read; for example WHERE id " +
            (dialect(cache) == SqlDialect::kPostgres ? "= ANY(:ids)."
                                                     : "IN (SELECT value FROM json_each(:ids))."));
  }

  // Of a source that is not known, SQLite's: its mistake is reported already.
  [[nodiscard]] SqlDialect dialect(const CacheConfig& cache) const {
    const auto source = std::ranges::find(config_.sources, cache.source, &SourceConfig::name);
    const bool postgres = source != config_.sources.end() && source->kind == SourceKind::kPostgres;
    return postgres ? SqlDialect::kPostgres : SqlDialect::kSqlite;
  }

  // Reports each parameter that `known` does not have, once; returns those used.
  std::set<std::string, std::less<>> check_parameters(const CacheConfig& cache,
                                                      std::string_view setting,
                                                      std::string_view sql,
                                                      std::vector<std::string_view> known) {
    const Position position = cache.written.of(setting);
    if (sql.contains('\0')) {
      mistake(position, path(cache, setting) + " holds a zero byte, where SQL would end.");
    }
    std::set<std::string, std::less<>> used;
    for (const SqlParameterUse& use : sql_parameters(sql, dialect(cache))) {
      if (!used.insert(use.name().empty() ? use.text : std::string{use.name()}).second) continue;
      if (!use.name().empty() && std::ranges::find(known, use.name()) != known.end()) continue;
      mistake(position, path(cache, setting) + unknown_parameter(cache, setting, use, known));
    }
    return used;
  }

  static std::string unknown_parameter(const CacheConfig& cache, std::string_view setting,
                                       const SqlParameterUse& use,
                                       const std::vector<std::string_view>& known) {
    const bool in_file = cache.written.in_file(setting);
    std::string message = " has the parameter " + (in_file ? use.text + " " : "") + "(line " +
                          std::to_string(use.line) + ", column " + std::to_string(use.column) +
                          " of the statement)";
    if (use.name().empty()) {
      message += ", but parameters are written :name";
      return message + (known.empty() ? "." : ", here :" + std::string{known[0]} + ".");
    }
    message += ", but the key " + in_quotes(cache.key.text()) + " has no such part";
    if (known.empty()) return message + "; it has none.";
    if (known[0] == "ids")
      return message.substr(0, message.find(", but")) + ", but its only one is :ids.";
    const auto nearest = in_file ? nearest_name(use.name(), known) : std::nullopt;
    if (nearest) {
      return message + "; did you mean :" + std::string{*nearest} + "?";
    }
    return message + "; it has " + list_names(known, ":") + ".";
  }

  void check_lifetimes(const CacheConfig& cache) {
    if (cache.negative_ttl <= cache.ttl) return;
    if (cache.written.mistaken("ttl") || cache.written.mistaken("negative_ttl")) return;
    const std::string ttl = cache.written.shown("ttl", format_duration(cache.ttl));
    const std::string negative_ttl =
        cache.written.shown("negative_ttl", format_duration(cache.negative_ttl));
    mistake(cache.written.of("negative_ttl"),
            path(cache, "negative_ttl") + ", " + negative_ttl + ", is more than ttl, " + ttl +
                "; what is not there would be remembered longer than what is.");
  }

  void check_overlaps() {
    for (std::size_t i = 0; i < config_.caches.size(); ++i) {
      const CacheConfig& later = config_.caches[i];
      if (later.key.text().empty()) continue;
      for (std::size_t j = 0; j < i; ++j) {
        const CacheConfig& earlier = config_.caches[j];
        if (earlier.key.text().empty() || !later.key.overlaps(earlier.key)) continue;
        mistake(later.written.of("key"),
                path(later, "key") + ", " + in_quotes(later.key.text()) +
                    ", shares keys with that of caches." + earlier.name + ", " +
                    in_quotes(earlier.key.text()) +
                    "; a key has one owner, so begin each pattern with a text of its own.");
        break;  // one is enough to say so
      }
    }
  }

  void check_unused_sources() {
    // A cache whose source is not known may mean any of them.
    const bool unclear = std::ranges::any_of(config_.caches, [this](const CacheConfig& cache) {
      return cache.written.has("source") && !knows(cache.source);
    });
    if (unclear) return;
    for (const SourceConfig& source : config_.sources) {
      const bool used = std::ranges::any_of(
          config_.caches, [&](const CacheConfig& cache) { return cache.source == source.name; });
      if (used) continue;
      warning(source.written.section,
              "sources." + source.name + " is used by no cache; it is not opened.");
    }
  }

  const Config& config_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> source_names_;
};

}  // namespace

void check_config(const Config& config, std::vector<Problem>& problems) {
  Checks{config, problems}.run();
}

}  // namespace larder
