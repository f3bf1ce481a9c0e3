#include "server/assembly.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "larder/sqlite.hpp"
#include "server/pattern_source.hpp"

namespace larder {

namespace {

// A source under construction.
struct Opened {
  std::size_t index;  // in the assembly's sources
  std::shared_ptr<LoadGate> gate;
};

class Assembler {
 public:
  Assembler(Runtime& runtime, const Config& config) : runtime_{runtime}, config_{config} {}

  std::expected<Assembly, std::vector<Problem>> assemble() {
    for (const SourceConfig& source : config_.sources) open(source);
    std::vector<KeyspaceCache> caches;
    for (const CacheConfig& cache : config_.caches) {
      caches.push_back({cache.key, options_for(cache)});
    }
    if (!problems_.empty()) return std::unexpected{std::move(problems_)};
    assembly_.keyspace = std::make_unique<Keyspace>(
        runtime_, MemoryOptions{.capacity = config_.memory.capacity}, std::move(caches));
    return std::move(assembly_);
  }

 private:
  void open(const SourceConfig& source) {
    auto database = open_sqlite(runtime_, source.path,
                                {.query_timeout = source.load_timeout,
                                 .connections = source.connections,
                                 .max_value = config_.server.max_value});
    if (!database) {
      return report(source.written.of("url"),
                    "sources." + source.name + ": " + database.error().message);
    }
    opened_[source.name] = {assembly_.sources.size(),
                            std::make_shared<LoadGate>(LoadLimits{.concurrent = source.max_loads,
                                                                  .waiting = source.max_waiting,
                                                                  .timeout = source.load_timeout})};
    assembly_.sources.push_back({source.name, std::move(*database), {}});
  }

  CacheOptions<std::string, std::string> options_for(const CacheConfig& cache) {
    CacheOptions<std::string, std::string> options{
        .name = cache.name,
        .strategy = cache.strategy == StrategyKind::kReadThrough ? Strategy::kReadThrough
                                                                 : Strategy::kCacheAside,
        .ttl = cache.ttl,
        .jitter = cache.jitter,
        .negative_ttl = cache.negative_ttl};
    const auto opened = opened_.find(cache.source);
    if (opened == opened_.end()) return options;  // a plain cache, or its source is reported
    options.gate = opened->second.gate;
    options.source = prepare(cache, assembly_.sources[opened->second.index]);
    return options;
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
    source.readers.push_back(*reader);
    return std::make_shared<PatternSource>(cache.key, std::move(*reader));
  }

  void report(Position position, std::string message) {
    problems_.push_back({.position = position, .message = std::move(message)});
  }

  Runtime& runtime_;
  const Config& config_;
  Assembly assembly_;
  std::map<std::string, Opened, std::less<>> opened_;
  std::vector<Problem> problems_;
};

}  // namespace

std::uint64_t AssembledSource::queries() const {
  std::uint64_t sum = 0;
  for (const auto& reader : readers) sum += reader->queries();
  return sum;
}

RuntimeOptions runtime_options(const Config& config) {
  // The server has threads of its own. The runtime's one accepts, keeps time and
  // serves the admin door.
  RuntimeOptions options{.io_threads = 1};
  unsigned connections = 0;
  for (const SourceConfig& source : config.sources) connections += source.connections;
  options.blocking_threads = std::max(options.blocking_threads, connections);
  return options;
}

std::expected<Assembly, std::vector<Problem>> assemble(Runtime& runtime, const Config& config) {
  return Assembler{runtime, config}.assemble();
}

std::vector<Problem> check_databases(const Config& config) {
  Runtime runtime{runtime_options(config)};
  auto assembly = assemble(runtime, config);
  return assembly ? std::vector<Problem>{} : std::move(assembly.error());
}

}  // namespace larder
