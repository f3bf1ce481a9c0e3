// Write-behind of one cache: a write is acknowledged when the journal has it, readers see it
// from then on, and it goes to the source later, with others.
//
// A cache writes behind by having this for a writer, and reads behind it through
// BehindSource. Both of what changes a key's value, an acknowledged write and a flushed one,
// invalidate the key in the cache: the first by the cache's own write protocol, the second by
// on_flushed(). So no copy and no load on its way is older than what a reader may rely on.
//
//   put ──▶ journal ──▶ pending ──▶ plan ──▶ writer of the source
//             │            │                     │ done: settle, invalidate
//             ▼            ▼                     │ refused: bury, invalidate
//           "OK"         readers                 ▼ failed: again, later
//
// Which writes readers see and which go next is decided in pending_writes.hpp, when and
// together with which others in flush_plan.hpp. Here is the lock, the timer, and what becomes
// of an outcome.
//
// Threads: any. Held by shared_ptr: by the cache's writer and source, and by batches that are
// out. Lock order: nobody is called under this lock, the log's included.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "behind/flush_plan.hpp"
#include "behind/pending_writes.hpp"
#include "behind/write_log.hpp"
#include "larder/clock.hpp"
#include "larder/closable.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "larder/writer.hpp"

namespace larder::behind {

struct WriteBehindStats {
  std::uint64_t backlog = 0;        // writes that the source does not have yet
  std::uint64_t backlog_bytes = 0;  // of their keys and values
  Duration lag{};                   // the age of the oldest; 0: none is pending
  std::uint64_t flushed = 0;        // writes that the source has, since the start
  std::uint64_t sent = 0;           // writes that went for them; fewer, as some go for several
  std::uint64_t batches = 0;
  std::uint64_t retries = 0;
  std::uint64_t dead = 0;  // writes that the source refused for good
  // Since when all that is tried fails; none: it does not.
  std::optional<Duration> failing{};
};

class WriteBehind final : public Writer<std::string, std::string>,
                          public Closable,
                          public std::enable_shared_from_this<WriteBehind> {
 public:
  struct Parts {
    ValueShape shape;
    FlushOptions flush;
    std::shared_ptr<WriteLog> log;                             // never null
    std::shared_ptr<Writer<std::string, std::string>> writer;  // of the source; never null
    const Clock* clock;
    std::shared_ptr<Timers> timers;  // never null
    std::uint64_t seed;              // of the jitter
    // Why a write cannot be, whatever the source says: asked before it is kept. None: it may.
    std::function<std::optional<Error>(const Write<std::string, std::string>&)> check{};
    // Names the log, in all the world: each write has a mark of it. Empty: none has.
    std::string journal{};
    // Told after each batch what it came to, without a lock: null, the source answers.
    std::function<void(const Error* failure)> report{};
    // Told of a write that the source refuses for good, and how many it has since the start.
    std::function<void(const std::string& key, const Error& why, std::uint64_t dead)> refused{};
  };

  explicit WriteBehind(Parts parts);

  // A write that the journal kept from an earlier run. In the order of their positions, before
  // start().
  void recover(const std::string& key, Position position, std::optional<std::string> value)
      LARDER_EXCLUDES(mutex_);
  // Who is told of keys whose value in the source has changed: invalidates them. May be
  // replaced.
  void on_flushed(std::function<void(const std::string& key)> invalidate) LARDER_EXCLUDES(mutex_);
  // Flushes from now on.
  void start() { look(); }

  // ---- As the cache's writer. ----

  // Done when the journal has them: what the source will make of them is not told.
  void submit(std::vector<Write<std::string, std::string>> writes, Begin begin, Done done) override;
  [[nodiscard]] std::string describe() const override { return parts_.writer->describe(); }
  [[nodiscard]] bool removes() const override { return parts_.writer->removes(); }
  // What of a key the source does not have yet, and whether it is sent once.
  [[nodiscard]] Facts explain(const std::string& key) const override LARDER_EXCLUDES(mutex_);

  // ---- For BehindSource. ----

  // A read of a key begins. It ends with exactly one end_read().
  [[nodiscard]] PendingWrites::Read begin_read(const std::string& key) LARDER_EXCLUDES(mutex_);
  // What is known of a key without the source; none: that has to be asked.
  [[nodiscard]] std::optional<std::optional<std::string>> known(const std::string& key,
                                                                PendingWrites::Read read) const
      LARDER_EXCLUDES(mutex_);
  // What the read is to answer, given what the source did.
  [[nodiscard]] Loaded<std::string> end_read(const std::string& key, PendingWrites::Read read,
                                             Loaded<std::string> loaded) LARDER_EXCLUDES(mutex_);

  // ---- About it. ----

  // Calls `done` once nothing is pending, perhaps before this returns; nothing waits for
  // company any more. Destroyed uncalled when this is closed first.
  void flush(std::move_only_function<void()> done) LARDER_EXCLUDES(mutex_);
  // Nothing is sent any more. What is out ends; what is pending stays in the journal.
  void close() override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] WriteBehindStats stats() const LARDER_EXCLUDES(mutex_);
  // Whether the source keeps marks, so that a write that is sent twice is done once.
  [[nodiscard]] bool keeps_marks() const override { return parts_.writer->keeps_marks(); }

 private:
  class Appending;
  class Batch;
  struct Outcome;

  void look() LARDER_EXCLUDES(mutex_);
  void arm(TimePoint now) LARDER_REQUIRES(mutex_);
  void acknowledged(const std::string& key, Position position, std::optional<std::string> value)
      LARDER_EXCLUDES(mutex_);
  void ended(const Batch& batch, std::vector<Result<Stored<std::string>>> results)
      LARDER_EXCLUDES(mutex_);
  [[nodiscard]] FlushPlan::Verdict take(const std::string& key, Position position,
                                        const Result<Stored<std::string>>& result, Outcome& outcome)
      LARDER_REQUIRES(mutex_);
  [[nodiscard]] double random() LARDER_REQUIRES(mutex_);

  const Parts parts_;
  mutable Mutex mutex_;
  PendingWrites pending_ LARDER_GUARDED_BY(mutex_);
  FlushPlan plan_ LARDER_GUARDED_BY(mutex_);
  std::shared_ptr<const std::function<void(const std::string&)>> invalidate_
      LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
  std::optional<TimePoint> timer_due_ LARDER_GUARDED_BY(mutex_);
  std::vector<std::move_only_function<void()>> flushes_ LARDER_GUARDED_BY(mutex_);
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::uint64_t random_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t flushed_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t sent_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t dead_ LARDER_GUARDED_BY(mutex_) = 0;
};

// The source of a cache that writes behind: what the real one gives, with the pending writes
// over it; and what they say alone, without asking it.
//
// Threads: any, as every source.
class BehindSource final : public Source<std::string, std::string> {
 public:
  BehindSource(std::shared_ptr<Source<std::string, std::string>> source,
               std::shared_ptr<WriteBehind> writes)
      : source_{std::move(source)}, writes_{std::move(writes)} {}

  void load(std::vector<std::string> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }
  void submit(std::vector<std::string> keys, Begin begin, Done done) override;
  [[nodiscard]] std::string describe() const override { return source_->describe(); }
  [[nodiscard]] std::size_t most_keys() const override { return source_->most_keys(); }
  [[nodiscard]] bool answers_in_parts() const override { return source_->answers_in_parts(); }

 private:
  class Reads;

  const std::shared_ptr<Source<std::string, std::string>> source_;
  const std::shared_ptr<WriteBehind> writes_;
};

}  // namespace larder::behind
