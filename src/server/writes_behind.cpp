#include "server/writes_behind.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>

#include "base/counted.hpp"
#include "base/sql_assigns.hpp"
#include "behind/journal_place.hpp"
#include "codec/write_fields.hpp"
#include "larder/thread_annotations.hpp"
#include "server/guarded_writer.hpp"
#include "server/source_state.hpp"

namespace larder {

namespace {

behind::Durability durability_of(const CacheConfig& cache) {
  if (cache.durability == "memory") return behind::Durability::kMemory;
  return cache.durability == "interval" ? behind::Durability::kInterval : behind::Durability::kSync;
}

// Why a write cannot be what the statement asks for: told before it is acknowledged.
std::function<std::optional<Error>(const Write<std::string, std::string>&)> check_for(
    const CacheConfig& cache, SqlDialect dialect) {
  std::vector<std::string> names;
  for (const SqlParameterUse& use : sql_parameters(cache.write, dialect)) {
    names.emplace_back(use.name());
  }
  return [pattern = cache.key, names = std::move(names)](
             const Write<std::string, std::string>& write) -> std::optional<Error> {
    if (!write.value) return std::nullopt;
    SqlParameters key;
    std::string problem;
    if (pattern.match(write.key, &key, &problem) != KeyPattern::Match::kYes) {
      return Error{Errc::kInternal,
                   "key \"" + write.key + "\" does not fit " + std::string{pattern.text()}};
    }
    const auto fields = json_fields(*write.value);
    if (!fields) return fields.error();
    const auto bindings = bind_write(names, key, *fields);
    return bindings ? std::nullopt : std::optional{bindings.error()};
  };
}

// How often a write is done, told when that is known first and whenever it changes: the source is
// reached late; its table of marks goes; or it is there, where it was not, when the writer's
// statements are prepared anew, which is not whenever one is made.
class TellOnce {
 public:
  TellOnce(const CacheConfig& cache, std::shared_ptr<const Writer<std::string, std::string>> writer,
           WritesBehind::Tell tell)
      : cache_{cache.name},
        assigns_{only_assigns(cache.write)},
        writer_{std::move(writer)},
        tell_{std::move(tell)} {}

  // REQUIRES: the source has been reached.
  void look() LARDER_EXCLUDES(mutex_) {
    // Asked and told under the lock: what is told last is what was true last.
    const MutexLock lock{mutex_};
    const bool once = writer_->keeps_marks();
    if (std::exchange(told_, once) == once || !tell_) return;
    std::string sentence = "cache " + cache_ + " writes behind, ";
    if (once) {
      sentence += "exactly once: its source keeps marks in larder_applied";
    } else {
      sentence +=
          "at least once: a crash may send a write again, and its source has no table "
          "larder_applied";
      if (!assigns_) sentence += ", though what it computes may then count twice";
    }
    tell_(once || assigns_, sentence);
  }

 private:
  const std::string cache_;
  const bool assigns_;
  const std::shared_ptr<const Writer<std::string, std::string>> writer_;
  const WritesBehind::Tell tell_;
  Mutex mutex_;  // held while `tell_` is called
  std::optional<bool> told_ LARDER_GUARDED_BY(mutex_);
};

std::string in_memory(const Config& config) {
  return "journal.path, " + config.journal.path +
         ", is on a file system in memory: a restart of the machine takes what was acknowledged "
         "and not flushed, whatever durability says; name a folder on a disk";
}

// One thread waits, until another says so.
class Waiting {
 public:
  void tell() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    told_ = true;
    changed_.notify_all();
  }
  void wait_until(std::chrono::steady_clock::time_point deadline) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    while (!told_ && changed_.wait_until(mutex_, deadline) != std::cv_status::timeout) {
    }
  }

 private:
  Mutex mutex_;
  Condition changed_;
  bool told_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace

bool writes_behind(const Config& config) {
  return std::ranges::any_of(config.caches, [](const CacheConfig& cache) {
    return cache.strategy == StrategyKind::kWriteBehind;
  });
}

bool WritesBehind::has_journal(const Config& config) {
  return !config.journal.path.empty() && behind::has_journal(config.journal.path);
}

Result<std::unique_ptr<WritesBehind>> WritesBehind::open(Runtime& runtime, const Config& config,
                                                         Tell tell) {
  auto journal = behind::SqliteJournal::open({.folder = config.journal.path,
                                              .limit = config.journal.limit,
                                              .interval = config.journal.interval,
                                              .report = [tell](const Error* failure) {
                                                if (!tell) return;
                                                if (failure == nullptr)
                                                  return tell(true, "the journal is written again");
                                                tell(false, failure->message);
                                              }});
  if (!journal) return std::unexpected{std::move(journal.error())};
  const behind::JournalStats stats = (*journal)->stats();
  if (stats.failure && tell) {
    tell(false, stats.failure->message + ". Until then writes are refused, and reads answered");
  }
  if (const auto& log_break = (*journal)->log_break(); log_break && tell) tell(false, *log_break);
  if (behind::is_in_memory(config.journal.path) && tell) tell(false, in_memory(config));
  if (stats.damaged > 0 && tell) {
    tell(false, "the journal in " + config.journal.path + " has " +
                    counted(stats.damaged, "acknowledged write") +
                    " that the disk changed since, so that they fit their "
                    "checksums no more; they are not applied; `larder journal show` lists them");
  }
  return std::unique_ptr<WritesBehind>{
      new WritesBehind{runtime, std::move(*journal), std::move(tell)}};
}

WritesBehind::~WritesBehind() {
  if (!finished_) (void)finish(Duration::zero());
}

Result<std::shared_ptr<behind::WriteBehind>> WritesBehind::make(
    const CacheConfig& cache, const SourceConfig& source,
    std::shared_ptr<Writer<std::string, std::string>> writer, bool reached) {
  auto sole = reached ? SoleWriter::claim(source, cache.name, tell_)
                      : SoleWriter::claim_later(source, cache.name, tell_);
  if (!sole) return std::unexpected{std::move(sole.error())};
  const SqlDialect dialect =
      source.kind == SourceKind::kPostgres ? SqlDialect::kPostgres : SqlDialect::kSqlite;
  const auto state = std::make_shared<SourceState>(
      runtime_.clock(), cache.source + ", to which cache " + cache.name + " writes,", tell_);
  const auto guarded = std::make_shared<GuardedWriter>(std::move(writer), std::move(*sole));
  const auto once = std::make_shared<TellOnce>(cache, guarded, tell_);
  if (reached) once->look();
  auto writes = std::make_shared<behind::WriteBehind>(behind::WriteBehind::Parts{
      .shape = behind::row_shape(coalesces(cache), cache.keep == "value"),
      .flush = {.delay = cache.flush_delay, .batch = cache.flush_batch},
      .log = journal_->of(cache.name, durability_of(cache)),
      .writer = guarded,
      .clock = &runtime_.clock(),
      .timers = runtime_.handle().timers(),
      .seed = std::random_device{}(),
      .check = check_for(cache, dialect),
      .journal = journal_->id(),
      .report =
          [state, once](const Error* failure) {
            if (failure != nullptr) return state->failed(failure->message);
            state->answered();
            once->look();
          },
      // The first of a row of refusals; the journal has them all.
      .refused =
          [tell = tell_, name = cache.name](const std::string& key, const Error& why,
                                            std::uint64_t dead) {
            if (!tell || (dead & (dead - 1)) != 0) return;
            tell(false, "cache " + name + ": the source refuses what was written to " + key +
                            ", which is now a dead letter (" + counted(dead, "write") +
                            " since the start): " + why.message);
          },
  });
  caches_[cache.name] = writes;
  runtime_.close_at_stop(writes);
  return writes;
}

Result<void> WritesBehind::recover() {
  std::vector<behind::KeptWrite> kept = journal_->take_recovered();
  for (behind::KeptWrite& write : kept) {
    const auto found = caches_.find(write.cache);
    if (found == caches_.end()) {
      const auto count = std::ranges::count(kept, write.cache, &behind::KeptWrite::cache);
      return fail(Errc::kRefused,
                  "it keeps " + counted(static_cast<std::uint64_t>(count), "acknowledged write") +
                      " of the cache " + write.cache +
                      ", and no write-behind cache of that name is here to flush them; bring it "
                      "back until they are flushed, or give them up with `larder journal park "
                      "FOLDER --cache " +
                      write.cache + "`");
    }
    found->second->recover(write.key, write.position, std::move(write.value));
  }
  return {};
}

void WritesBehind::start() {
  for (const auto& [name, writes] : caches_) writes->start();
}

std::shared_ptr<behind::WriteBehind> WritesBehind::find(std::string_view cache) const {
  const auto found = caches_.find(cache);
  return found == caches_.end() ? nullptr : found->second;
}

void WritesBehind::attach(std::span<const Keyspace::Member> members) const {
  for (const Keyspace::Member& member : members) {
    const auto writes = find(member.cache->name());
    if (!writes) continue;
    writes->on_flushed([weak = std::weak_ptr{member.cache}](const std::string& key) {
      if (const auto cache = weak.lock()) cache->invalidate(key);
    });
  }
}

std::vector<std::string> WritesBehind::finish(Duration patience) {
  finished_ = true;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::shared_ptr<Waiting>> flushes;
  for (const auto& [name, writes] : caches_) {
    flushes.push_back(std::make_shared<Waiting>());
    writes->flush([flushed = flushes.back()] { flushed->tell(); });
  }
  for (const auto& flush : flushes) flush->wait_until(deadline);
  std::vector<std::string> left;
  for (const auto& [name, writes] : caches_) {
    writes->close();
    const std::uint64_t backlog = writes->stats().backlog;
    if (backlog == 0) continue;
    left.push_back("cache " + name + ": " + counted(backlog, "acknowledged write") +
                   " left in the journal, for the next start to flush");
  }
  const Result<void> closed = journal_->close();
  if (!closed) left.push_back("the journal: " + closed.error().message);
  return left;
}

std::vector<Problem> WritesBehind::cautions(const Config& config) {
  if (!writes_behind(config) || !behind::is_in_memory(config.journal.path)) return {};
  return {{.position = config.journal.written.of("path"),
           .severity = Problem::Severity::kWarning,
           .message = in_memory(config) + "."}};
}

std::vector<std::pair<std::string, bool>> WritesBehind::once() const {
  std::vector<std::pair<std::string, bool>> once;
  for (const auto& [name, writes] : caches_) once.emplace_back(name, writes->keeps_marks());
  return once;
}

std::vector<std::pair<std::string, behind::WriteBehindStats>> WritesBehind::stats() const {
  std::vector<std::pair<std::string, behind::WriteBehindStats>> stats;
  for (const auto& [name, writes] : caches_) stats.emplace_back(name, writes->stats());
  return stats;
}

}  // namespace larder
