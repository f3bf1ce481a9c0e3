#include "behind/sqlite_journal.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace larder::behind {

namespace {

// What a write counts besides its bytes: a row and its place in memory.
constexpr std::uint64_t kOverhead = 128;

// Company is waited for in slices of a sync's time, as long as each brings more.
constexpr int kSlicesOfSync = 16;
constexpr int kMostSlices = 4;
constexpr Duration kLeastSlice = std::chrono::microseconds{50};  // shorter ones are not kept

std::uint64_t cost(const KeptWrite& write) {
  return kOverhead + write.cache.size() + write.key.size() +
         (write.value ? write.value->size() : 0);
}

}  // namespace

class SqliteJournal::Log final : public WriteLog {
 public:
  Log(std::shared_ptr<SqliteJournal> journal, std::string cache, Durability durability)
      : journal_{std::move(journal)}, cache_{std::move(cache)}, durability_{durability} {}

  void append(std::string key, std::optional<std::string> value, Appended done) override {
    journal_->append({cache_, std::move(key), std::move(value)}, durability_, std::move(done));
  }
  void settle(std::vector<Position> positions) override {
    std::ranges::sort(positions);
    journal_->add(Settle{std::move(positions)});
  }
  void bury(Position position, const Error& why) override { journal_->add(Bury{position, why}); }
  [[nodiscard]] Position settled_below() const override { return journal_->settled_below_; }

 private:
  const std::shared_ptr<SqliteJournal> journal_;
  const std::string cache_;
  const Durability durability_;
};

SqliteJournal::SqliteJournal(JournalOptions options, std::unique_ptr<JournalFile> file)
    : options_{std::move(options)}, file_{std::move(file)} {}

Result<std::shared_ptr<SqliteJournal>> SqliteJournal::open(JournalOptions options) {
  auto file = JournalFile::open(options.folder);
  if (!file) return std::unexpected{std::move(file.error())};
  auto contents = (*file)->recover();
  if (!contents) return std::unexpected{std::move(contents.error())};
  std::shared_ptr<SqliteJournal> journal{new SqliteJournal{std::move(options), std::move(*file)}};
  journal->take(std::move(*contents));
  journal->thread_ = std::thread{[self = journal.get()] { self->run(); }};
  return journal;
}

SqliteJournal::~SqliteJournal() {
  if (thread_.joinable()) (void)close();
}

void SqliteJournal::take(JournalFile::Contents contents) {
  const MutexLock lock{mutex_};
  for (const KeptWrite& write : contents.writes) {
    bytes_ += cost(write);
    costs_.emplace(write.position, cost(write));
  }
  dead_ = contents.dead_letters;
  damaged_ = contents.damaged;
  bytes_ += contents.dead_letters * kOverhead + contents.dead_bytes;
  next_ = contents.last + 1;
  id_ = std::move(contents.id);
  log_break_ = std::move(contents.log_break);
  reported_ = contents.full;
  unsynced_ = contents.full.has_value();  // so that it is tried again, whether anybody writes
  unreserved_ = unsynced_;
  failed_ = std::move(contents.full);
  recovered_ = std::move(contents.writes);
}

std::shared_ptr<WriteLog> SqliteJournal::of(std::string cache, Durability durability) {
  return std::make_shared<Log>(shared_from_this(), std::move(cache), durability);
}

void SqliteJournal::append(KeptWrite write, Durability durability, WriteLog::Appended done) {
  if (durability == Durability::kMemory) {
    const MutexLock order{order_};
    WriteLog::Appended none;
    return done(enqueue(std::move(write), durability, none));
  }
  Result<Position> position = enqueue(std::move(write), durability, done);
  if (!position) done(std::move(position));
}

// Takes `done` with the write; leaves it where that is refused.
Result<Position> SqliteJournal::enqueue(KeptWrite write, Durability durability,
                                        WriteLog::Appended& done) {
  const std::uint64_t bytes = cost(write);
  const MutexLock lock{mutex_};
  if (closing_) return fail(Errc::kCancelled, "the journal is closed: larder is shutting down");
  if (broken_) return std::unexpected{*broken_};
  if (unreserved_ && durability == Durability::kMemory) return std::unexpected{*failed_};
  if (bytes > options_.limit.bytes) {
    ++refused_;
    return fail(Errc::kInvalidArgument, "the write takes " + std::to_string(bytes) +
                                            " bytes of the journal, more than the " +
                                            std::to_string(options_.limit.bytes) +
                                            " of journal.limit, so nothing was written");
  }
  if (bytes_ + bytes > options_.limit.bytes) {
    ++refused_;
    met_limit_ = bytes;
    return fail(Errc::kOverloaded,
                "journal full: what the source does not have yet, and the dead letters, take the " +
                    std::to_string(options_.limit.bytes) +
                    " bytes of journal.limit, so nothing was written; is the source up?");
  }
  met_limit_ = 0;
  bytes_ += bytes;
  write.position = next_++;
  costs_.emplace_hint(costs_.end(), write.position, bytes);
  const Position position = write.position;
  waiting_.emplace_back(Append{std::move(write), durability, std::move(done)});
  if (durability == Durability::kSync) ++want_sync_;
  more_.notify_all();
  return position;
}

void SqliteJournal::add(Work work) {
  const MutexLock lock{mutex_};
  if (const auto* settled = std::get_if<Settle>(&work)) {
    for (const Position position : settled->positions) {
      const auto found = costs_.find(position);
      if (found == costs_.end()) continue;
      bytes_ -= found->second;
      costs_.erase(found);
    }
  } else if (const auto* buried = std::get_if<Bury>(&work)) {
    costs_.erase(buried->position);  // which goes on to count against the limit
  }
  waiting_.push_back(std::move(work));
  more_.notify_all();
}

// Takes what waits, until it is closed and nothing does. In between it syncs what nobody
// waits for.
void SqliteJournal::run() {
  const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(options_.interval);
  std::optional<std::chrono::steady_clock::time_point> due;  // of a sync that is owed
  bool last = false;                                         // of what is closed, tried
  for (;;) {
    std::vector<Work> works;
    Position settled_below = 0;
    bool late = false;
    {
      const MutexLock lock{mutex_};
      if (!unsynced_) due.reset();
      if (unsynced_ && !due) due = std::chrono::steady_clock::now() + interval;
      while (waiting_.empty() && !closing_ && !late) {
        if (!due) {
          more_.wait(mutex_);
        } else {
          late = more_.wait_until(mutex_, *due) == std::cv_status::timeout;
        }
      }
    }
    await_company();
    {
      const MutexLock lock{mutex_};
      // However much comes meanwhile.
      late = late || (due && std::chrono::steady_clock::now() >= *due);
      const bool owed = closing_ && unsynced_ && !std::exchange(last, true);
      if (waiting_.empty() && !late && !owed) return;
      works = std::exchange(again_, {});
      std::ranges::move(waiting_, std::back_inserter(works));
      waiting_.clear();
      company_ = std::exchange(want_sync_, 0);
      settled_below = costs_.empty() ? next_ : costs_.begin()->first;
    }
    write(std::move(works), late, settled_below);
    if (late) due.reset();  // the next, or where that failed another try, an interval later
  }
}

// Without this, writers that wait for each answer fall into two halves that take turns, and
// each sync carries one of them.
void SqliteJournal::await_company() {
  const Duration slice = sync_takes_ / kSlicesOfSync;
  if (slice < kLeastSlice) return;
  std::size_t before = 0;
  for (int i = 0; i < kMostSlices; ++i) {
    {
      const MutexLock lock{mutex_};
      if (want_sync_ >= company_ || want_sync_ == before || closing_) return;
      before = want_sync_;
    }
    std::this_thread::sleep_for(slice);
  }
}

// An empty list is written, too: its commit syncs what came before.
void SqliteJournal::write(std::vector<Work> works, bool late, Position settled_below) {
  bool sync = late || works.empty();
  for (const Work& work : works) {
    const auto* append = std::get_if<Append>(&work);
    sync = sync || std::holds_alternative<Bury>(work) ||
           (append != nullptr && append->durability == Durability::kSync);
  }
  const TimePoint began = std::chrono::steady_clock::now();
  const Result<void> kept = commit(works, sync);
  if (sync) sync_takes_ += (std::chrono::steady_clock::now() - began - sync_takes_) / 8;
  if (kept && sync) settled_below_ = settled_below;
  {
    // Before anybody is told, so that nobody's next write is taken.
    const MutexLock lock{mutex_};
    company_ += want_sync_;
    broken_ = file_->broken();
    failed_ = kept ? std::nullopt : std::optional{kept.error()};
    if (kept) unreserved_ = false;
  }
  report(kept);
  for (Work& work : works) {
    if (auto* const append = std::get_if<Append>(&work)) tell(*append, kept);
  }
  const MutexLock lock{mutex_};
  unsynced_ = (!kept || !sync) && !broken_;
  if (kept || broken_) return;
  // In their order, before any later one: else a write would come back behind its successor.
  // Those that were told of the failure are gone; what was acknowledged at once is still owed.
  std::erase_if(works, [](const Work& work) {
    const auto* append = std::get_if<Append>(&work);
    return append != nullptr && append->durability != Durability::kMemory;
  });
  again_ = std::move(works);
}

// Once, when it begins to fail, when it is given up, and when it is well again.
void SqliteJournal::report(const Result<void>& kept) {
  std::optional<Error> failure = file_->broken();
  if (!failure && !kept) failure = kept.error();
  const bool news = failure.has_value() != reported_.has_value() ||
                    (failure && file_->broken() && *failure != *reported_);
  reported_ = failure;
  if (news && options_.report) options_.report(failure ? &*failure : nullptr);
}

void SqliteJournal::tell(Append& append, const Result<void>& kept) {
  if (append.durability == Durability::kMemory) return;  // told long since
  const Position position = append.write.position;
  if (!kept) {
    const MutexLock lock{mutex_};
    bytes_ -= cost(append.write);
    costs_.erase(position);
  }
  if (kept) return append.done(position);
  append.done(std::unexpected{kept.error()});
}

Result<void> SqliteJournal::commit(const std::vector<Work>& works, bool sync) {
  auto done = file_->begin(sync);
  if (done && works.empty()) done = file_->touch();
  for (const Work& work : works) {
    if (done) done = carry_out(work);
  }
  if (done) done = file_->commit();
  if (!done) {
    file_->roll_back();
    return done;
  }
  ++commits_;
  if (sync) ++syncs_;
  dead_ += static_cast<std::uint64_t>(std::ranges::count_if(
      works, [](const Work& work) { return std::holds_alternative<Bury>(work); }));
  return done;
}

Result<void> SqliteJournal::carry_out(const Work& work) {
  if (const auto* append = std::get_if<Append>(&work)) return file_->keep(append->write);
  if (const auto* bury = std::get_if<Bury>(&work)) return file_->bury(bury->position, bury->why);
  return file_->settle(std::get<Settle>(work).positions);
}

Result<void> SqliteJournal::close() {
  Position last = 0;
  {
    const MutexLock lock{mutex_};
    closing_ = true;
    last = next_ - 1;
    more_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
    file_->close(last);
  }
  const MutexLock lock{mutex_};
  if (broken_) return std::unexpected{*broken_};
  return failed_ ? Result<void>{std::unexpected{*failed_}} : Result<void>{};
}

JournalStats SqliteJournal::stats() const {
  JournalStats stats{.bytes = bytes_,
                     .limit = options_.limit.bytes,
                     .dead_letters = dead_,
                     .damaged = damaged_,
                     .refused = refused_,
                     .commits = commits_,
                     .syncs = syncs_};
  const MutexLock lock{mutex_};
  stats.broken = broken_.has_value();
  stats.full = met_limit_ > 0 && bytes_ + met_limit_ > options_.limit.bytes;
  stats.failure = broken_ ? broken_ : failed_;
  return stats;
}

}  // namespace larder::behind
