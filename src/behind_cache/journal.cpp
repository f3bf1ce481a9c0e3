#include "larder/journal.hpp"

#include <random>
#include <set>
#include <utility>

#include "behind/sqlite_journal.hpp"
#include "behind/write_behind.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

namespace {

behind::Durability durability_of(Durability durability) {
  switch (durability) {
    case Durability::kSync: return behind::Durability::kSync;
    case Durability::kInterval: return behind::Durability::kInterval;
    case Durability::kMemory: return behind::Durability::kMemory;
  }
  return behind::Durability::kSync;
}

// Answers one flush: with false if nobody ever says that it is done.
class Flush {
 public:
  explicit Flush(std::move_only_function<void(bool)> done) : done_{std::move(done)} {}
  ~Flush() { end(false); }
  Flush(const Flush&) = delete;
  Flush& operator=(const Flush&) = delete;

  void end(bool flushed) {
    if (auto done = std::exchange(done_, nullptr)) done(flushed);
  }

 private:
  std::move_only_function<void(bool)> done_;
};

class CacheBehind final : public detail::TextBehind {
 public:
  explicit CacheBehind(std::shared_ptr<behind::WriteBehind> writes) : writes_{std::move(writes)} {}

  [[nodiscard]] std::shared_ptr<detail::TextWriter> writer() override { return writes_; }
  [[nodiscard]] std::shared_ptr<detail::TextSource> over(
      std::shared_ptr<detail::TextSource> source) override {
    return std::make_shared<behind::BehindSource>(std::move(source), writes_);
  }
  void on_flushed(std::function<void(const std::string& key)> invalidate) override {
    writes_->on_flushed(std::move(invalidate));
  }
  void start() override { writes_->start(); }
  void flush(std::move_only_function<void(bool flushed)> done) override {
    writes_->flush([flush = std::make_unique<Flush>(std::move(done))] { flush->end(true); });
  }
  [[nodiscard]] WriteBehindStats stats() const override {
    const behind::WriteBehindStats now = writes_->stats();
    return {.backlog = now.backlog,
            .lag = now.lag,
            .flushed = now.flushed,
            .batches = now.batches,
            .retries = now.retries,
            .dead = now.dead};
  }

 private:
  const std::shared_ptr<behind::WriteBehind> writes_;
};

class OpenJournal final : public Journal {
 public:
  explicit OpenJournal(std::shared_ptr<behind::SqliteJournal> journal)
      : journal_{std::move(journal)}, recovered_{journal_->take_recovered()} {}
  // Waits for the journal's thread, which so is not the one that lets go of it last.
  ~OpenJournal() override { (void)journal_->close(); }
  OpenJournal(const OpenJournal&) = delete;
  OpenJournal& operator=(const OpenJournal&) = delete;

  [[nodiscard]] std::vector<std::string> unclaimed() const override LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    std::set<std::string> names;
    for (const behind::KeptWrite& write : recovered_) names.insert(write.cache);
    return {names.begin(), names.end()};
  }
  [[nodiscard]] JournalContents contents() const override {
    const behind::JournalStats stats = journal_->stats();
    return {.bytes = stats.bytes, .dead_letters = stats.dead_letters, .damaged = stats.damaged};
  }
  [[nodiscard]] Result<std::shared_ptr<detail::TextBehind>> behind(
      Runtime& runtime, detail::TextBehindParts parts) override LARDER_EXCLUDES(mutex_);

 private:
  const std::shared_ptr<behind::SqliteJournal> journal_;
  mutable Mutex mutex_;
  std::set<std::string> names_ LARDER_GUARDED_BY(mutex_);
  std::vector<behind::KeptWrite> recovered_ LARDER_GUARDED_BY(mutex_);  // not claimed yet
};

Result<std::shared_ptr<detail::TextBehind>> OpenJournal::behind(Runtime& runtime,
                                                                detail::TextBehindParts parts) {
  auto refused = [tell = std::move(parts.refused)](const std::string& key, const Error& why,
                                                   std::uint64_t) {
    if (tell) tell(key, why);
  };
  const auto writes = std::make_shared<behind::WriteBehind>(
      behind::WriteBehind::Parts{.shape = {},  // a value is all that there is of its row
                                 .flush = {.delay = parts.flush_delay, .batch = parts.flush_batch},
                                 .log = journal_->of(parts.name, durability_of(parts.durability)),
                                 .writer = std::move(parts.writer),
                                 .clock = &runtime.clock(),
                                 .timers = runtime.handle().timers(),
                                 .seed = std::random_device{}(),
                                 .journal = journal_->id(),
                                 .refused = std::move(refused)});
  {
    const MutexLock lock{mutex_};
    if (!names_.insert(parts.name).second) {
      return fail(Errc::kInvalidArgument,
                  "the journal keeps the writes of a cache of that name already; each needs a "
                  "name of its own, and open the journal anew to make it again");
    }
    for (behind::KeptWrite& write : recovered_) {
      if (write.cache == parts.name) {
        writes->recover(write.key, write.position, std::move(write.value));
      }
    }
    std::erase_if(recovered_,
                  [&](const behind::KeptWrite& write) { return write.cache == parts.name; });
  }
  runtime.close_at_stop(writes);
  return std::make_shared<CacheBehind>(writes);
}

}  // namespace

Result<std::shared_ptr<Journal>> Journal::open(JournalOptions options) {
  if (options.path.empty()) return fail(Errc::kInvalidArgument, "a journal needs a path");
  auto journal = behind::SqliteJournal::open({.folder = std::move(options.path),
                                              .limit = options.limit,
                                              .interval = options.interval,
                                              .report = std::move(options.report)});
  if (!journal) return std::unexpected{std::move(journal.error())};
  return std::make_shared<OpenJournal>(std::move(*journal));
}

}  // namespace larder
