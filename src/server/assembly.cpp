#include "server/assembly.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/sql_assigns.hpp"
#include "config/change.hpp"
#include "larder/postgres.hpp"
#include "larder/sql_writer.hpp"
#include "larder/sqlite.hpp"
#include "postgres/target.hpp"
#include "server/late_database.hpp"
#include "server/pattern_source.hpp"
#include "server/shared_parts.hpp"

namespace larder {

namespace {

// A write's statement has the source's timeout; its commit takes longer by this, at most.
constexpr std::chrono::seconds kWriteGrace{5};

// How much of a source is as it was.
enum class Stays : std::uint8_t {
  kAll,     // database and gate go on
  kValues,  // another database object, on the same data
  kNothing,
};

// A cache of the configuration: one that stays, or one to make.
struct PlannedCache {
  std::optional<Keyspace::Member> same{};
  std::optional<KeyspaceCache> fresh{};
  const BytesCache* before = nullptr;  // whose copies a fresh one goes on with
};

struct Plan {
  AssembledSources sources;
  std::vector<PlannedCache> caches;
  CachesChange change;
  std::vector<Problem> warnings;
};

// What runs already; nothing of it at the start.
struct Running {
  const Config& config;
  const AssembledSources& sources;
  const std::vector<Keyspace::Member>& caches;  // in the order of config.caches
};

template <class Section>
const Section* find_named(const std::vector<Section>& sections, std::string_view name) {
  const auto found = std::ranges::find(sections, name, &Section::name);
  return found == sections.end() ? nullptr : &*found;
}

// Null when there is none of that name.
template <class Sources>
auto* find_source(Sources& sources, std::string_view name) {
  const auto found = std::ranges::find_if(
      sources, [&](const AssembledSource& source) { return source.config.name == name; });
  return found == sources.end() ? nullptr : &*found;
}

bool only_lifetimes(const std::vector<std::string_view>& settings) {
  return std::ranges::all_of(settings, [](std::string_view name) {
    return name == "ttl" || name == "jitter" || name == "negative_ttl";
  });
}

class Planner {
 public:
  // Without `running`, all is new.
  // Without `behind`, caches that write behind are made to write through. `serves`: not a trial,
  // and a database that is down may come later.
  Planner(Runtime& runtime, const Config& config, std::shared_ptr<shared::Tier> shared,
          WritesBehind* behind, Assembly::Tell tell, const Running* running, bool serves = true)
      : runtime_{runtime},
        config_{config},
        shared_{std::move(shared)},
        behind_{behind},
        tell_{std::move(tell)},
        running_{running},
        serves_{serves} {}

  std::expected<Plan, std::vector<Problem>> plan() {
    for (const SourceConfig& source : config_.sources) open(source);
    for (const CacheConfig& cache : config_.caches) plan(cache);
    if (!problems_.empty()) return std::unexpected{std::move(problems_)};
    if (running_ == nullptr) return std::move(plan_);

    for (const CacheConfig& was : running_->config.caches) {
      if (find_named(config_.caches, was.name) == nullptr) {
        plan_.change.removed.push_back(was.name);
        if (was.strategy == StrategyKind::kWriteBehind) refuse_behind({}, was.name);
      }
    }
    if (!problems_.empty()) return std::unexpected{std::move(problems_)};
    for (AssembledSource& source : plan_.sources) keep_count(source);
    return std::move(plan_);
  }

 private:
  // A source that is opened already, or can be; whether it could not, is reported.
  void open(const SourceConfig& source) {
    const AssembledSource* const was =
        running_ == nullptr ? nullptr : find_source(running_->sources, source.name);
    stays_[source.name] = Stays::kNothing;
    if (was != nullptr) {
      const auto changed = differences(was->config, source);
      const bool same_limits = running_->config.server.max_value == config_.server.max_value;
      if (changed.empty() && same_limits) {
        stays_[source.name] = Stays::kAll;
        plan_.sources.push_back({source, was->database, was->gate, was->state, {}});
        return;
      }
      if (std::ranges::find(changed, "url") == changed.end()) {
        stays_[source.name] = Stays::kValues;
      }
    }
    const auto state = std::make_shared<SourceState>(runtime_.clock(), source.name, tell_);
    auto database = connect(source);
    if (!database && may_come_later(source)) {
      state->failed(
          database.error().message +
          ". larder starts without it: what asks it fails until it is reached, which is tried "
          "again and again, and its statements are checked then");
      database = later(source, Error{std::move(database.error())}, state);
      unreached_.insert(source.name);
    }
    if (!database) {
      std::string why = "sources." + source.name + ": " + database.error().message;
      if (running_ != nullptr && source.kind == SourceKind::kPostgres) {
        why += ". While larder runs, a source is taken when it can be reached";
      }
      return report(source.written.of("url"), std::move(why));
    }
    std::shared_ptr<FleetGate> fleet;
    if (shared_ && source.max_fleet_loads > 0) {
      fleet = shared_->fleet_gate({.source = source.name,
                                   .loads = source.max_fleet_loads,
                                   .longest_load = source.load_timeout + source.wait_timeout});
    }
    auto gate = std::make_shared<LoadGate>(LoadLimits{.concurrent = source.max_loads,
                                                      .waiting = source.max_waiting,
                                                      .timeout = source.load_timeout,
                                                      .wait_timeout = source.wait_timeout},
                                           std::move(fleet));
    plan_.sources.push_back({source, std::move(*database), std::move(gate), state, {}});
  }

  // At the start a PostgreSQL that is down, or has no primary, may come, as one that goes down
  // may come back. One that answers, and refuses larder, is a mistake of the configuration; and
  // to a reload, which changes all or nothing, it is one to be down.
  [[nodiscard]] bool may_come_later(const SourceConfig& source) const {
    if (!serves_ || running_ != nullptr || source.kind != SourceKind::kPostgres) return false;
    const auto target = PostgresTarget::parse(source.url.reveal(), {});
    return target && !target->refuses();
  }

  // `state` is well again when it is reached, whether anybody asks it, and counts what statements
  // it refuses by themselves: a load by one of them fails, as does that of any source that does not
  // take a statement any more.
  std::shared_ptr<SqlDatabase> later(const SourceConfig& source, Error why,
                                     const std::shared_ptr<SourceState>& state) {
    return std::make_shared<LateDatabase>(
        "source " + source.name, std::move(why),
        [this_source = source, runtime = &runtime_, max_value = config_.server.max_value] {
          return connect(*runtime, this_source, max_value);
        },
        LateDatabase::Told{
            .reached = [state] { state->answered(); },
            .refused = [state](std::size_t statements) { state->refuses(statements); },
            .sentence =
                [tell = tell_](bool well, const std::string& sentence) {
                  if (tell) tell(well, sentence);
                },
        });
  }

  Result<std::shared_ptr<SqlDatabase>> connect(const SourceConfig& source) {
    return connect(runtime_, source, config_.server.max_value);
  }
  static Result<std::shared_ptr<SqlDatabase>> connect(Runtime& runtime, const SourceConfig& source,
                                                      ByteCount max_value) {
    if (source.kind == SourceKind::kPostgres) {
      return open_postgres(runtime, source.url.reveal(),
                           {.prepared = source.prepared,
                            .query_timeout = source.load_timeout,
                            .connections = source.connections,
                            .max_value = max_value});
    }
    return open_sqlite(runtime, source.path,
                       {.query_timeout = source.load_timeout,
                        .connections = source.connections,
                        .max_value = max_value});
  }

  void plan(const CacheConfig& cache) {
    const std::size_t index = index_in_running(cache.name);
    if (running_ == nullptr || index == running_->caches.size()) {
      if (running_ != nullptr && is_behind(cache)) refuse_behind(cache.written.section, cache.name);
      plan_.change.added.push_back(cache.name);
      return make(cache, nullptr);
    }
    const Keyspace::Member& was = running_->caches[index];
    const auto changed = differences(running_->config.caches[index], cache);
    const Stays source = cache.source.empty() ? Stays::kAll : stays_[cache.source];
    if (changed.empty() && source == Stays::kAll) {
      keep_reader(cache);
      plan_.caches.push_back({.same = was});
      ++plan_.change.unchanged;
    } else if (only_lifetimes(changed) && source != Stays::kNothing) {
      plan_.change.adjusted.push_back(cache.name);
      make(cache, was.cache.get());
    } else {
      if (is_behind(cache) || is_behind(running_->config.caches[index])) {
        refuse_behind(cache.written.section, cache.name);
      }
      plan_.change.emptied.push_back(cache.name);
      make(cache, nullptr);
    }
  }

  static bool is_behind(const CacheConfig& cache) {
    return cache.strategy == StrategyKind::kWriteBehind;
  }
  // Its pending writes were acknowledged for what it was.
  void refuse_behind(Position position, const std::string& cache) {
    report(position, "caches." + cache +
                         " writes behind, and comes, goes or changes in more than its lifetimes at "
                         "a restart alone; set it back, or restart larder.");
  }

  // As many as there are: it is not among them.
  [[nodiscard]] std::size_t index_in_running(std::string_view cache) const {
    if (running_ == nullptr) return 0;
    const auto& caches = running_->config.caches;
    return static_cast<std::size_t>(std::ranges::find(caches, cache, &CacheConfig::name) -
                                    caches.begin());
  }

  void make(const CacheConfig& cache, const BytesCache* before) {
    plan_.caches.push_back(
        {.fresh = KeyspaceCache{cache.key, options_for(cache)}, .before = before});
  }

  [[nodiscard]] Strategy strategy_of(StrategyKind kind) const {
    switch (kind) {
      case StrategyKind::kReadThrough: return Strategy::kReadThrough;
      case StrategyKind::kWriteThrough: return Strategy::kWriteThrough;
      case StrategyKind::kWriteBehind:
        return behind_ != nullptr ? Strategy::kWriteBehind : Strategy::kWriteThrough;
      case StrategyKind::kCacheAside: break;
    }
    return Strategy::kCacheAside;
  }

  CacheOptions<std::string, std::string> options_for(const CacheConfig& cache) {
    CacheOptions<std::string, std::string> options{.name = cache.name,
                                                   .strategy = strategy_of(cache.strategy),
                                                   .ttl = cache.ttl,
                                                   .jitter = cache.jitter,
                                                   .negative_ttl = cache.negative_ttl};
    AssembledSource* const source = find_source(plan_.sources, cache.source);
    if (source == nullptr) return options;  // a plain cache, or its source is reported
    options.gate = source->gate;
    auto reader = prepare(cache, *source);
    if (writes(cache)) {
      auto sql = prepare_writer(cache, *source);
      if (sql) caution_of_marks(cache, *sql);
      auto writer = sql ? text_writer(cache, std::move(sql)) : nullptr;
      options.writes = {.concurrent = 256,
                        .waiting = source->config.max_waiting,
                        .timeout = source->config.load_timeout + kWriteGrace,
                        .wait_timeout = source->config.wait_timeout};
      options.unknown_write = std::max(options.unknown_write, 2 * options.writes.timeout);
      if (is_behind(cache) && behind_ != nullptr && writer && reader) {
        write_behind(cache, *source, std::move(reader), std::move(writer), options);
      } else {
        options.source = std::move(reader);
        options.writer = std::move(writer);
        share(cache, *source, options);
      }
      return options;
    }
    options.source = std::move(reader);
    share(cache, *source, options);
    return options;
  }

  // What a write-behind cache answers is its own process's, pending writes over the row.
  void share(const CacheConfig& cache, const AssembledSource& source,
             CacheOptions<std::string, std::string>& options) const {
    const bool shares = cache.strategy == StrategyKind::kReadThrough ||
                        cache.strategy == StrategyKind::kWriteThrough;
    if (!shared_ || !cache.shared || !shares) return;
    options.shared = shared_->copies(cache.name, shared_fingerprint(cache, source.config));
    options.memory_ttl = config_.shared.memory_ttl;
    if (cache.on_shared_down == "refuse") options.on_shared_down = OnSharedDown::kRefuse;
  }

  // What runs already goes on with the writer that it has, on the same data.
  void write_behind(const CacheConfig& cache, const AssembledSource& source,
                    std::shared_ptr<Source<std::string, std::string>> reader,
                    std::shared_ptr<Writer<std::string, std::string>> writer,
                    CacheOptions<std::string, std::string>& options) {
    auto writes = behind_->find(cache.name);
    if (!writes) {
      auto made = behind_->make(cache, source.config, std::move(writer),
                                !unreached_.contains(source.config.name));
      if (!made) {
        return report(cache.written.of("strategy"),
                      "caches." + cache.name + ": " + made.error().message);
      }
      writes = std::move(*made);
    }
    options.writes.concurrent = 10'000;  // of which each waits for the journal alone
    options.source = std::make_shared<behind::BehindSource>(std::move(reader), writes);
    options.writer = std::shared_ptr<Writer<std::string, std::string>>{std::move(writes)};
  }

  std::shared_ptr<Source<std::string, std::string>> prepare(const CacheConfig& cache,
                                                            AssembledSource& source) {
    SqlRead read{.one = cache.read, .rows = cache.many, .many = cache.read_many};
    read.json_columns = cache.json;
    std::vector<std::string> parameters;
    for (const KeyPattern::Part& part : cache.key.parts()) parameters.push_back(part.name);
    if (!cache.read_many.empty()) read.many_key = parameters.front();

    auto reader = source.database->prepare(std::move(read), std::move(parameters));
    if (!reader) {
      report(cache.written.of("read"), "caches." + cache.name + ": " + reader.error().message);
      return nullptr;
    }
    source.readers[cache.name] = *reader;
    return std::make_shared<PatternSource>(cache.key, std::move(*reader), source.state);
  }

  void caution_of_marks(const CacheConfig& cache, const SqlWriter& sql) {
    if (!is_behind(cache) || sql.keeps_marks() || only_assigns(cache.write)) return;
    plan_.warnings.push_back(
        {.position = cache.written.of("write"),
         .severity = Problem::Severity::kWarning,
         .message = "caches." + cache.name +
                    ".write computes, and its source has no table larder_applied, so a write that "
                    "a crash lets larder send twice counts twice; make the table, as "
                    "docs/write-behind.md shows (Exactly once), or have write assign."});
  }

  // Null: it is reported why.
  std::shared_ptr<SqlWriter> prepare_writer(const CacheConfig& cache,
                                            const AssembledSource& source) {
    SqlWrite write{.write = cache.write,
                   .remove = cache.remove,
                   .read = {.one = cache.read, .rows = cache.many, .json_columns = cache.json},
                   // What is flushed nobody waits for.
                   .keep_value = cache.keep == "value" || is_behind(cache),
                   .version = cache.row_version};
    std::vector<std::string> parameters;
    for (const KeyPattern::Part& part : cache.key.parts()) parameters.push_back(part.name);
    auto writer = source.database->prepare_write(std::move(write), std::move(parameters));
    if (!writer) {
      report(cache.written.of("write"), "caches." + cache.name + ": " + writer.error().message);
      return nullptr;
    }
    return std::move(*writer);
  }

  static std::shared_ptr<Writer<std::string, std::string>> text_writer(
      const CacheConfig& cache, std::shared_ptr<SqlWriter> writer) {
    return sql_text_writer(
        std::move(writer), [pattern = cache.key](std::string_view key) -> Result<SqlParameters> {
          SqlParameters parts;
          std::string problem;
          if (pattern.match(key, &parts, &problem) == KeyPattern::Match::kYes) return parts;
          // Whoever routed the key here did not ask the same pattern.
          return fail(Errc::kInternal,
                      "key \"" + std::string{key} + "\" does not fit " + pattern.text());
        });
  }

  void keep_reader(const CacheConfig& cache) {
    AssembledSource* const source = find_source(plan_.sources, cache.source);
    if (source == nullptr) return;
    source->readers[cache.name] =
        find_source(running_->sources, cache.source)->readers.at(cache.name);
  }

  // What readers that go have counted stays part of their source's count.
  void keep_count(AssembledSource& source) const {
    const AssembledSource* const was = find_source(running_->sources, source.config.name);
    if (was == nullptr) return;
    source.earlier_queries = was->queries();
    for (const auto& [cache, reader] : source.readers) {
      const auto kept = was->readers.find(cache);
      if (kept != was->readers.end() && kept->second == reader) {
        source.earlier_queries -= reader->queries();
      }
    }
  }

  void report(Position position, std::string message) {
    problems_.push_back({.position = position, .message = std::move(message)});
  }

  Runtime& runtime_;
  const Config& config_;
  const std::shared_ptr<shared::Tier> shared_;  // null: none
  WritesBehind* const behind_;                  // null: none
  const Assembly::Tell tell_;
  const Running* running_;
  const bool serves_;
  std::map<std::string, Stays, std::less<>> stays_;  // by source
  std::set<std::string, std::less<>> unreached_;     // sources
  Plan plan_;
  std::vector<Problem> problems_;
};

// Those that take a thread while they work; PostgreSQL's are the I/O threads' work.
unsigned blocking_connections(const SourceConfig& source) {
  return source.kind == SourceKind::kSqlite ? source.connections : 0;
}

// Databases whose statements would wait for threads.
std::vector<Problem> too_many_connections(const Config& config, unsigned threads) {
  unsigned connections = 0;
  for (const SourceConfig& source : config.sources) {
    connections += blocking_connections(source);
    if (connections <= threads) continue;
    return {{.position = source.written.of("connections"),
             .message = "sources." + source.name +
                        ".connections and those before are more than the " +
                        std::to_string(threads) +
                        " that this process was started for; have fewer, or restart larder."}};
  }
  return {};
}

}  // namespace

std::uint64_t AssembledSource::queries() const {
  std::uint64_t sum = earlier_queries;
  for (const auto& [cache, reader] : readers) sum += reader->queries();
  return sum;
}

std::expected<std::unique_ptr<Assembly>, std::vector<Problem>> Assembly::assemble(
    Runtime& runtime, const Config& config, Tell tell, Purpose purpose) {
  auto shared = open_shared(runtime, config, tell);
  if (!shared) return std::unexpected{std::vector<Problem>{std::move(shared.error())}};
  const auto of_journal = [&config](const Error& error) {
    return std::unexpected{
        std::vector<Problem>{{.position = config.journal.written.of("path"),
                              .message = "journal.path: " + error.message + "."}}};
  };
  std::unique_ptr<WritesBehind> behind;
  // One that no cache uses may have writes all the same, of a cache that was another kind then.
  const bool journal_used = writes_behind(config);
  if (purpose == Purpose::kService && (journal_used || WritesBehind::has_journal(config))) {
    auto opened = WritesBehind::open(runtime, config, tell);
    if (!opened) return of_journal(opened.error());
    behind = std::move(*opened);
  }
  const bool serves = purpose == Purpose::kService;
  auto plan = Planner{runtime, config, *shared, behind.get(), tell, nullptr, serves}.plan();
  if (!plan) return std::unexpected{std::move(plan.error())};
  if (behind) {
    if (const auto recovered = behind->recover(); !recovered) return of_journal(recovered.error());
    if (!journal_used) behind.reset();
  }
  std::vector<KeyspaceCache> caches;
  for (PlannedCache& cache : plan->caches) caches.push_back(std::move(*cache.fresh));
  return std::unique_ptr<Assembly>{
      new Assembly{runtime, config, std::move(tell), std::move(*shared), std::move(behind),
                   std::move(plan->sources), std::move(caches), std::move(plan->warnings)}};
}

Assembly::Assembly(Runtime& runtime, const Config& config, Tell tell,
                   std::shared_ptr<shared::Tier> shared, std::unique_ptr<WritesBehind> behind,
                   AssembledSources sources, std::vector<KeyspaceCache> caches,
                   std::vector<Problem> warnings)
    : runtime_{runtime},
      blocking_threads_{runtime_options(config).blocking_threads},
      config_{config},
      tell_{std::move(tell)},
      shared_{std::move(shared)},
      behind_{std::move(behind)},
      keyspace_{runtime, MemoryOptions{.capacity = config.memory.capacity}, std::move(caches)},
      warnings_{std::move(warnings)},
      sources_{std::make_shared<const AssembledSources>(std::move(sources))} {
  if (!behind_) return;
  behind_->attach(*keyspace_.members());
  behind_->start();
}

std::shared_ptr<const AssembledSources> Assembly::sources() const {
  const MutexLock lock{mutex_};
  return sources_;
}

std::expected<Assembly::Successor, std::vector<Problem>> Assembly::prepare(const Config& config) {
  auto problems = too_many_connections(config, blocking_threads_);
  if (!problems.empty()) return std::unexpected{std::move(problems)};

  const auto sources = this->sources();
  const auto caches = keyspace_.members();
  const Running running{config_, *sources, *caches};
  auto plan = Planner{runtime_, config, shared_, behind_.get(), tell_, &running}.plan();
  if (!plan) return std::unexpected{std::move(plan.error())};

  Successor successor{config, std::move(plan->sources), {}, std::move(plan->change)};
  try {
    for (PlannedCache& cache : plan->caches) {
      successor.caches.push_back(cache.same
                                     ? std::move(*cache.same)
                                     : keyspace_.make(std::move(*cache.fresh), cache.before));
    }
  } catch (const std::logic_error& problem) {
    return std::unexpected{std::vector<Problem>{
        {.position = {}, .message = std::string{problem.what()} + "; restart larder."}}};
  }
  return successor;
}

Assembly::Predecessor Assembly::change(Successor successor) {
  Predecessor before;
  config_ = std::move(successor.config);
  {
    const MutexLock lock{mutex_};
    before.sources = std::exchange(
        sources_, std::make_shared<const AssembledSources>(std::move(successor.sources)));
  }
  before.caches = keyspace_.replace(std::move(successor.caches));
  if (behind_) behind_->attach(*keyspace_.members());
  return before;
}

RuntimeOptions runtime_options(const Config& config) {
  // The server has threads of its own. The runtime's one accepts, keeps time, serves the
  // admin door, and writes PostgreSQL's rows as JSON.
  RuntimeOptions options{.io_threads = 1};
  unsigned connections = 0;
  for (const SourceConfig& source : config.sources) connections += blocking_connections(source);
  options.blocking_threads = std::max(options.blocking_threads, connections);
  return options;
}

std::vector<Problem> check_urls(const Config& config) {
  std::vector<Problem> problems;
  for (const SourceConfig& source : config.sources) {
    if (source.kind != SourceKind::kPostgres) continue;
    const auto target = PostgresTarget::parse(source.url.reveal(), {});
    if (target) continue;
    problems.push_back({.position = source.written.of("url"),
                        .message = "sources." + source.name + ": " + target.error().message + "."});
  }
  return problems;
}

std::vector<Problem> check_databases(const Config& config) {
  Runtime runtime{runtime_options(config)};
  auto assembly = Assembly::assemble(runtime, config, {}, Assembly::Purpose::kTrial);
  if (!assembly) return std::move(assembly.error());
  std::vector<Problem> problems = (*assembly)->warnings();
  for (Problem& caution : WritesBehind::cautions(config)) problems.push_back(std::move(caution));
  return problems;
}

}  // namespace larder
