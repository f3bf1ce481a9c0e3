#include "behind/write_behind.hpp"

#include <algorithm>
#include <utility>

#include "base/counted.hpp"
#include "base/quantity.hpp"

namespace larder::behind {

namespace {

using Outcomes = std::vector<Result<Stored<std::string>>>;

// Whether sending it again is in vain. SQLSTATE's class 42 is about the statement and its
// rights, which somebody may mend; the write is not to blame.
bool is_final(const Error& error) {
  switch (error.code) {
    case Errc::kRejected: return !error.state.starts_with("42");
    case Errc::kConflict:
    case Errc::kInvalidArgument:
    case Errc::kBadValue:
    case Errc::kRefused:
    case Errc::kInternal: return true;
    default: return false;
  }
}

FlushOptions fitted(FlushOptions options, std::size_t most_writes) {
  options.batch = std::min(options.batch, std::max<std::size_t>(most_writes, 1));
  return options;
}

}  // namespace

// The writes of one submit() on their way into the log.
class WriteBehind::Appending {
 public:
  Appending(std::size_t count, Done done)
      : outcomes_(count), owed_{count}, done_{std::move(done)} {}

  void take(std::size_t index, Result<Stored<std::string>> outcome) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      outcomes_[index] = std::move(outcome);
      if (--owed_ > 0) return;
    }
    done_(std::move(outcomes_));
  }

 private:
  Mutex mutex_;
  Outcomes outcomes_;  // each written under the lock, read when none is owed
  std::size_t owed_ LARDER_GUARDED_BY(mutex_);
  Done done_;
};

// Writes that are out together. Whoever lets go of it without an outcome has lost it.
class WriteBehind::Batch {
 public:
  explicit Batch(std::shared_ptr<WriteBehind> owner) : owner_{std::move(owner)} {}
  ~Batch() {
    end(Outcomes(keys_.size(), fail(Errc::kOutcomeUnknown, "the writer dropped the write")));
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Of the log `journal`, which may be empty.
  void add(std::string key, PendingWrites::Step step, const std::string& journal,
           Position settled_below) {
    positions_.push_back(step.position);
    writes_.push_back({key, std::move(step.value)});
    keys_.push_back(std::move(key));
    if (journal.empty()) return;
    writes_.back().mark = {.journal = journal,
                           .position = static_cast<std::int64_t>(step.position),
                           .settled_below = static_cast<std::int64_t>(settled_below)};
  }
  [[nodiscard]] std::vector<Write<std::string, std::string>> take_writes() {
    return std::move(writes_);
  }
  void end(Outcomes outcomes) {
    if (const auto owner = std::exchange(owner_, nullptr)) owner->ended(*this, std::move(outcomes));
  }

  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  [[nodiscard]] const std::vector<Position>& positions() const { return positions_; }

 private:
  std::shared_ptr<WriteBehind> owner_;  // null: it has ended
  std::vector<std::string> keys_;
  std::vector<Position> positions_;
  std::vector<Write<std::string, std::string>> writes_;
};

// What a batch came to, to be told when the lock is free.
struct WriteBehind::Outcome {
  struct Refusal {
    std::string key;
    Position position;
    Error why;
    std::uint64_t dead;  // with this one, since the start
  };

  std::vector<Position> settled{};
  std::vector<Refusal> refused{};
  std::vector<std::string> changed{};
  std::optional<Error> failure{};  // of one that is to be sent again
};

WriteBehind::WriteBehind(Parts parts)
    : parts_{std::move(parts)},
      pending_{parts_.shape},
      plan_{fitted(parts_.flush, parts_.writer->most_writes())},
      random_{parts_.seed} {}

void WriteBehind::recover(const std::string& key, Position position,
                          std::optional<std::string> value) {
  const MutexLock lock{mutex_};
  const TimePoint now = parts_.clock->now();
  if (pending_.add(key, position, std::move(value), now)) plan_.add(key, now);
}

void WriteBehind::on_flushed(std::function<void(const std::string& key)> invalidate) {
  const MutexLock lock{mutex_};
  invalidate_ =
      std::make_shared<const std::function<void(const std::string&)>>(std::move(invalidate));
}

void WriteBehind::submit(std::vector<Write<std::string, std::string>> writes, Begin begin,
                         Done done) {
  if (!begin()) return;
  const auto appending = std::make_shared<Appending>(writes.size(), std::move(done));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (parts_.check) {
      if (auto why = parts_.check(writes[i])) {
        appending->take(i, std::unexpected{std::move(*why)});
        continue;
      }
    }
    std::string key = writes[i].key;
    auto value = writes[i].value;
    parts_.log->append(std::move(writes[i].key), std::move(writes[i].value),
                       [self = shared_from_this(), appending, i, key = std::move(key),
                        value = std::move(value)](Result<Position> position) mutable {
                         if (!position)
                           return appending->take(i, std::unexpected{std::move(position.error())});
                         self->acknowledged(key, *position, std::move(value));
                         appending->take(i, Stored<std::string>{.told = false});
                       });
  }
}

void WriteBehind::acknowledged(const std::string& key, Position position,
                               std::optional<std::string> value) {
  bool due = false;
  {
    const MutexLock lock{mutex_};
    const TimePoint now = parts_.clock->now();
    if (!pending_.add(key, position, std::move(value), now)) return;
    plan_.add(key, now);
    const auto next = plan_.next_look();
    due = next && *next <= now;
    if (!due) arm(now);
  }
  if (due) look();
}

PendingWrites::Read WriteBehind::begin_read(const std::string& key) {
  const MutexLock lock{mutex_};
  return pending_.begin_read(key);
}

std::optional<std::optional<std::string>> WriteBehind::known(const std::string& key,
                                                             PendingWrites::Read read) const {
  const MutexLock lock{mutex_};
  return pending_.known(key, read);
}

Loaded<std::string> WriteBehind::end_read(const std::string& key, PendingWrites::Read read,
                                          Loaded<std::string> loaded) {
  const MutexLock lock{mutex_};
  if (loaded) {
    loaded = pending_.seen(key, read, std::move(*loaded));
  } else if (auto known = pending_.known(key, read)) {
    loaded = std::move(*known);
  }
  pending_.end_read(key, read);
  return loaded;
}

// Sends what is due.
void WriteBehind::look() {
  std::vector<std::shared_ptr<Batch>> batches;
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    const TimePoint now = parts_.clock->now();
    const Position settled_below = parts_.log->settled_below();
    for (auto keys = plan_.take(now); !keys.empty(); keys = plan_.take(now)) {
      const auto batch = std::make_shared<Batch>(shared_from_this());
      for (std::string& key : keys) {
        PendingWrites::Step step = pending_.send(key);
        batch->add(std::move(key), std::move(step), parts_.journal, settled_below);
      }
      sent_ += keys.size();
      batches.push_back(batch);
    }
    arm(now);
  }
  for (const auto& batch : batches) {
    const auto begin = [self = shared_from_this()] {
      const MutexLock lock{self->mutex_};
      return !self->closed_;
    };
    auto writes = batch->take_writes();
    const std::size_t count = writes.size();
    const auto end = [batch](Outcomes outcomes) { batch->end(std::move(outcomes)); };
    try {
      parts_.writer->submit(std::move(writes), begin, end);
    } catch (const std::exception& exception) {
      batch->end(Outcomes(
          count, fail(Errc::kSourceFailed, std::string{"the writer threw: "} + exception.what())));
    }
  }
}

// The timer is set for when to look again; one that is due earlier is left to look in vain.
void WriteBehind::arm(TimePoint now) {
  const auto next = plan_.next_look();
  if (closed_ || !next || (timer_due_ && *timer_due_ <= *next)) return;
  timer_due_ = next;
  timer_ = parts_.timers->after(std::max(*next - now, Duration::zero()), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const MutexLock lock{self->mutex_};
      self->timer_due_.reset();
    }
    self->look();
  });
}

void WriteBehind::ended(const Batch& batch, Outcomes results) {
  const std::size_t count = batch.keys().size();
  if (results.size() != count) {
    results.assign(
        count, fail(Errc::kOutcomeUnknown, "the writer answered " + std::to_string(results.size()) +
                                               " results to " + std::to_string(count) + " writes"));
  }
  Outcome outcome;
  std::vector<std::move_only_function<void()>> flushes;
  std::shared_ptr<const std::function<void(const std::string&)>> invalidate;
  bool failing = false;
  {
    const MutexLock lock{mutex_};
    std::vector<FlushPlan::Ended> ended;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& key = batch.keys()[i];
      const auto verdict = take(key, batch.positions()[i], results[i], outcome);
      ended.push_back({key, verdict, pending_.pending(key)});
    }
    plan_.ended(std::move(ended), parts_.clock->now(), random());
    failing = plan_.failing_since().has_value();
    if (pending_.size() == 0) flushes = std::exchange(flushes_, {});
    invalidate = invalidate_;
  }
  if (invalidate) {
    for (const std::string& key : outcome.changed) (*invalidate)(key);
  }
  if (!outcome.settled.empty()) parts_.log->settle(std::move(outcome.settled));
  for (const Outcome::Refusal& refusal : outcome.refused) {
    parts_.log->bury(refusal.position, refusal.why);
    if (parts_.refused) parts_.refused(refusal.key, refusal.why, refusal.dead);
  }
  if (parts_.report && failing && outcome.failure) parts_.report(&*outcome.failure);
  if (parts_.report && !failing && !outcome.changed.empty()) parts_.report(nullptr);
  for (auto& flush : flushes) flush();
  look();
}

FlushPlan::Verdict WriteBehind::take(const std::string& key, Position position,
                                     const Result<Stored<std::string>>& result, Outcome& outcome) {
  if (!result && !is_final(result.error())) {
    pending_.returned(key);
    outcome.failure = result.error();
    return FlushPlan::Verdict::kAgain;
  }
  outcome.changed.push_back(key);
  if (result) {
    const auto positions = pending_.applied(key);
    flushed_ += positions.size();
    outcome.settled.insert(outcome.settled.end(), positions.begin(), positions.end());
  } else {
    pending_.refused(key);
    ++dead_;
    outcome.refused.push_back({key, position, result.error(), dead_});
  }
  return FlushPlan::Verdict::kSettled;
}

void WriteBehind::flush(std::move_only_function<void()> done) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    plan_.hurry();
    if (pending_.size() > 0) flushes_.push_back(std::exchange(done, nullptr));
  }
  if (done) return done();
  look();
}

void WriteBehind::close() {
  std::unique_ptr<Timer> timer;
  std::vector<std::move_only_function<void()>> flushes;
  const MutexLock lock{mutex_};
  closed_ = true;
  timer.swap(timer_);
  flushes.swap(flushes_);
}

WriteBehind::Facts WriteBehind::explain(const std::string& key) const {
  Facts facts;
  const MutexLock lock{mutex_};
  if (const std::size_t pending = pending_.count(key); pending > 0) {
    const TimePoint now = parts_.clock->now();
    std::string text = counted(pending, "write") + ", the oldest acknowledged " +
                       approximate_duration(std::max(now - pending_.since(key), Duration::zero())) +
                       " ago";
    if (const auto since = plan_.failing_since()) {
      text += "; the source has taken none for " + approximate_duration(now - *since);
    }
    facts.emplace_back("pending", std::move(text));
  }
  facts.emplace_back("after a crash", keeps_marks()
                                          ? "a write is done once: the source keeps marks"
                                          : "a write may be done twice: the source has no marks");
  return facts;
}

WriteBehindStats WriteBehind::stats() const {
  const MutexLock lock{mutex_};
  const TimePoint now = parts_.clock->now();
  WriteBehindStats stats{.backlog = pending_.size(),
                         .backlog_bytes = pending_.bytes(),
                         .flushed = flushed_,
                         .sent = sent_,
                         .batches = plan_.batches(),
                         .retries = plan_.retries(),
                         .dead = dead_};
  if (const auto oldest = pending_.oldest()) stats.lag = now - *oldest;
  if (const auto since = plan_.failing_since()) stats.failing = now - *since;
  return stats;
}

// Uniform in [0, 1). SplitMix64.
double WriteBehind::random() {
  std::uint64_t z = random_ += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// The reads of one load. Those without an answer end with it.
class BehindSource::Reads {
 public:
  Reads(std::shared_ptr<WriteBehind> writes, std::vector<std::string> keys)
      : writes_{std::move(writes)}, keys_{std::move(keys)} {
    for (const std::string& key : keys_) reads_.push_back(writes_->begin_read(key));
  }
  ~Reads() {
    for (; ended_ < keys_.size(); ++ended_) (void)end(Loaded<std::string>{std::nullopt});
  }
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;

  // The answers, where none of them needs the source.
  [[nodiscard]] std::optional<std::vector<Loaded<std::string>>> known() const {
    std::vector<Loaded<std::string>> known;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      auto value = writes_->known(keys_[i], reads_[i]);
      if (!value) return std::nullopt;
      known.emplace_back(std::move(*value));
    }
    return known;
  }
  // The answers to the first keys, given what the source says of them.
  std::vector<Loaded<std::string>> end(std::vector<Loaded<std::string>> results) {
    for (Loaded<std::string>& result : results) {
      if (ended_ == keys_.size()) break;  // the cache will say that it got too many
      result = end(std::move(result));
      ++ended_;
    }
    return results;
  }

 private:
  [[nodiscard]] Loaded<std::string> end(Loaded<std::string> loaded) const {
    return writes_->end_read(keys_[ended_], reads_[ended_], std::move(loaded));
  }

  const std::shared_ptr<WriteBehind> writes_;
  const std::vector<std::string> keys_;
  std::vector<PendingWrites::Read> reads_;
  std::size_t ended_ = 0;
};

// Where all is known the source is not asked, up or down. Else it is asked for every key,
// and what it fails at is answered from what is known.
void BehindSource::submit(std::vector<std::string> keys, Begin begin, Done done) {
  const auto reads = std::make_shared<Reads>(writes_, keys);
  if (auto known = reads->known()) {
    if (begin()) done(std::move(*known));
    return;
  }
  source_->submit(
      std::move(keys), std::move(begin),
      [reads, done = std::move(done)](std::vector<Loaded<std::string>> results) mutable {
        done(reads->end(std::move(results)));
      });
}

}  // namespace larder::behind
