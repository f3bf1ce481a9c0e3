// Puts a configuration's parts together: databases, sources, caches, keyspace. And
// later those of another configuration, with as much of what runs as is the same.
//
// What a change leaves: a source with the same settings keeps its connections. A cache
// with the same settings on such a source stays as it is. One whose lifetimes or whose
// source's limits alone differ goes on with its copies; any other difference may change
// what a key's value is, so it starts empty.
//
// Threads: assemble() and prepare() block while they open databases; not on an I/O
// thread. One thread changes an Assembly; sources() may be called by any.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cache/keyspace.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"
#include "larder/load_gate.hpp"
#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"
#include "larder/thread_annotations.hpp"
#include "server/reload.hpp"
#include "server/source_state.hpp"
#include "server/writes_behind.hpp"
#include "shared/tier.hpp"

namespace larder {

// A source and what reads from it.
struct AssembledSource {
  SourceConfig config;
  std::shared_ptr<SqlDatabase> database;
  std::shared_ptr<LoadGate> gate;
  std::shared_ptr<SourceState> state;
  std::map<std::string, std::shared_ptr<SqlReader>> readers;  // by cache
  std::uint64_t earlier_queries = 0;                          // of readers that are gone

  // Statements run since the start.
  [[nodiscard]] std::uint64_t queries() const;
};
using AssembledSources = std::vector<AssembledSource>;

class Assembly {
 public:
  // Everything, or what is in the way of it: all of it, each with the place of the
  // setting that it is about. The runtime must outlive what it returns.
  // `tell` is told when what this depends on is no longer there, and when it is again.
  using Tell = std::function<void(bool there, const std::string& sentence)>;
  // With a journal it is opened, and what it keeps is flushed and shown from now on. kTrial
  // opens none, so that another process may have it: nothing is to be written then.
  enum class Purpose : std::uint8_t { kService, kTrial };
  [[nodiscard]] static std::expected<std::unique_ptr<Assembly>, std::vector<Problem>> assemble(
      Runtime& runtime, const Config& config, Tell tell = {}, Purpose purpose = Purpose::kService);

  [[nodiscard]] Keyspace& keyspace() { return keyspace_; }
  // What works, and few mean: known when the databases were asked.
  [[nodiscard]] const std::vector<Problem>& warnings() const { return warnings_; }
  // What it was made of.
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] std::shared_ptr<const AssembledSources> sources() const LARDER_EXCLUDES(mutex_);
  // Null without one. The same as long as this lives.
  [[nodiscard]] const shared::Tier* shared() const { return shared_.get(); }
  // Null where no cache writes behind. The same as long as this lives.
  [[nodiscard]] WritesBehind* behind() const { return behind_.get(); }

  // All that another configuration needs and that may fail; nothing changes yet.
  struct Successor {
    Config config;
    AssembledSources sources;
    std::vector<Keyspace::Member> caches;
    CachesChange change;
  };
  [[nodiscard]] std::expected<Successor, std::vector<Problem>> prepare(const Config& config);
  // What a change replaced: whoever lets go of it may wait for databases to close.
  struct Predecessor {
    std::shared_ptr<const AssembledSources> sources;
    std::shared_ptr<const std::vector<Keyspace::Member>> caches;
  };
  // Changes to that. Quick. REQUIRES: as Keyspace::replace(); prepare() was called last.
  [[nodiscard]] Predecessor change(Successor successor) LARDER_EXCLUDES(mutex_);

 private:
  Assembly(Runtime& runtime, const Config& config, Tell tell, std::shared_ptr<shared::Tier> shared,
           std::unique_ptr<WritesBehind> behind, AssembledSources sources,
           std::vector<KeyspaceCache> caches, std::vector<Problem> warnings);

  Runtime& runtime_;
  const unsigned blocking_threads_;  // of the runtime
  Config config_;
  const Tell tell_;
  const std::shared_ptr<shared::Tier> shared_;
  const std::unique_ptr<WritesBehind> behind_;  // null: none
  Keyspace keyspace_;
  const std::vector<Problem> warnings_;
  mutable Mutex mutex_;
  std::shared_ptr<const AssembledSources> sources_ LARDER_GUARDED_BY(mutex_);
};

// How a runtime has to be for a configuration.
[[nodiscard]] RuntimeOptions runtime_options(const Config& config);

// URLs that their clients do not understand. Connects to nothing.
[[nodiscard]] std::vector<Problem> check_urls(const Config& config);
// What the databases that a configuration names refuse of it, and URLs likewise.
[[nodiscard]] std::vector<Problem> check_databases(const Config& config);

}  // namespace larder
