// One Memcached server of the shared tier: whether it may be asked, what it has yet to be
// told, and the steps of the lease protocol there (item.hpp).
//
// Trust. The server is asked only while it is known to have been told of every invalidation
// of this process. After a lost connection, an error or a silence, what was not confirmed is
// told first; until that is confirmed reads of its keys go to the source, and are not sent to
// another server. So a server that was away rejoins when its old copies are unusable.
//
// Order. All commands of a process go over one connection, so a read that begins after an
// invalidation was handed on is behind it. The end of a write takes two round trips: until it
// is done, reads of its key in this process go to the source.
//
// Announcements. With a backplane other processes' memory is told of what this one invalidates and
// writes, once the server has confirmed it: told before, they could read the old copy again. What
// the server could not be told is announced at once, for it may be gone for all, and once more
// when it has been told. While the server is not trusted memory is believed for a short while alone
// (hearing.hpp): a reader who does not ask it does not see that a key is being written.
//
// Waiting. Memcached tells nobody of a change: who finds another's lease looks again now and
// then.
//
// Threads: any. Lock order: its own, then the backplane's or the client's; nobody is called back
// under its own.
// Lifetime: held by shared_ptr; the runtime may end before it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "memcached/client.hpp"
#include "memcached/memcached_url.hpp"
#include "redis/redis_url.hpp"
#include "shared/confirmations.hpp"
#include "shared/envelope.hpp"
#include "shared/item_step.hpp"
#include "shared/key_names.hpp"
#include "shared/refusals.hpp"
#include "shared/shared_counts.hpp"
#include "shared/tier.hpp"
#include "shared/undelivered.hpp"

namespace larder::shared {

struct PoolOptions {
  memcached::MemcachedUrl url{};
  std::optional<redis::RedisUrl> backplane{};  // tells processes' memory; none: nobody does
  std::string name_space = "larder";           // in front of every key: separates deployments
  // Behaviour.
  Duration timeout = std::chrono::milliseconds{250};  // of a command, and of a step of several
  // A lease ends so long after its holder's last sign of life; whole seconds, two at least.
  Duration lease = std::chrono::seconds{3};
  // No load takes longer: its lease is not extended beyond, nor waited for once it has ended.
  Duration longest_load = std::chrono::seconds{30};
  // So long a failure is told; for two seconds if its process ends before.
  Duration failure = std::chrono::milliseconds{500};
  EnvelopeOptions envelope{};
  std::size_t most_undelivered = 20'000;  // keys of a server; past them whole caches
  // Called when a server is lost or is there again, with a sentence; any thread, never often.
  std::function<void(bool there, const std::string& sentence)> tell{};
};

class PoolReading;

class PoolServer final : public memcached::ClientEvents,
                         public std::enable_shared_from_this<PoolServer> {
 public:
  // Begins to connect; a server that is not there yet is no error. `backplane` may be null.
  [[nodiscard]] static std::shared_ptr<PoolServer> start(Runtime& runtime,
                                                         const memcached::Place& place,
                                                         const PoolOptions& options,
                                                         std::shared_ptr<Tier> backplane);
  ~PoolServer() override;
  PoolServer(const PoolServer&) = delete;
  PoolServer& operator=(const PoolServer&) = delete;

  [[nodiscard]] bool trusted() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::string trouble() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] SharedStats stats() const LARDER_EXCLUDES(mutex_);
  // Sends nothing and answers nothing any more: who waits is sent to the source.
  void close() LARDER_EXCLUDES(mutex_);

  // ---- What its caches tell it. `name` is the key's as KeyNames has it, which Memcached may not
  // take; a lease's key is the one there. ----

  void invalidate(const std::string& cache, const std::string& name) LARDER_EXCLUDES(mutex_);
  void clear(const std::string& cache) LARDER_EXCLUDES(mutex_);
  // A write has ended; `value` as it is to stand there, empty: nothing.
  void finish(const std::string& cache, const SharedMark& mark, std::string value, Duration left)
      LARDER_EXCLUDES(mutex_);
  void leave(const std::string& cache, const SharedMark& mark, Duration life)
      LARDER_EXCLUDES(mutex_);
  // Calls it when the server has answered all of that, or it is known that it does not; perhaps
  // before this returns.
  void once_told(Confirmations::Then then) LARDER_EXCLUDES(mutex_);
  // A load under a lease has ended, whose key is the item's in Memcached. `name` is the key's in
  // the tier: where the load was to replace a copy, others' memory is told of what is there now.
  void fill(const std::string& cache, const std::string& name, const SharedLease& lease,
            std::string value, Duration left) LARDER_EXCLUDES(mutex_);
  // `fingerprint`: of the load that failed.
  void fail(const SharedLease& lease, std::uint64_t fingerprint, const Error& error)
      LARDER_EXCLUDES(mutex_);
  void release(const SharedLease& lease) LARDER_EXCLUDES(mutex_);

  // ---- For its readers and writers. ----

  // None: it is not to be asked now.
  [[nodiscard]] std::optional<memcached::Session> session() const LARDER_EXCLUDES(mutex_);
  // A time during which nothing failed that it had to be told; each has another number.
  struct Trust {
    std::uint64_t connection;
    std::uint64_t number;
  };
  [[nodiscard]] std::optional<Trust> trust() const LARDER_EXCLUDES(mutex_);
  // What was read may be believed only if trust lasts until its answer is there: a step that
  // was on its way before the read may have failed meanwhile.
  [[nodiscard]] bool lasts(const Trust& trust) const LARDER_EXCLUDES(mutex_);
  // Whether a write of that key is ending, or may still land though no mark says so.
  // `item` is what Memcached has it under.
  [[nodiscard]] bool ending(const std::string& item) const LARDER_EXCLUDES(mutex_);
  // Has other processes' memory drop a key, or with none all of the cache.
  void announce(const std::string& cache, const std::optional<std::string>& name) const;
  [[nodiscard]] const std::shared_ptr<memcached::Client>& client() const { return client_; }
  [[nodiscard]] const PoolOptions& options() const { return options_; }
  [[nodiscard]] Timers& timers() const { return *timers_; }
  [[nodiscard]] SharedCounts& counts() { return counts_; }
  // Of the steps of the protocol there.
  [[nodiscard]] ItemStep::Terms step_terms(std::uint64_t connection) const {
    return {.connection = connection, .timers = timers_, .patience = options_.timeout};
  }
  // 16 bytes that nobody else has.
  [[nodiscard]] std::string new_token();
  // Where a cache's generation stands.
  [[nodiscard]] std::string generation_name(const std::string& cache) const;
  void count_fill(bool filled);
  // Counts it; what the server refuses while it is there is told too, once.
  void note_error(const Error& error);
  void note_refusal(const std::string& text);
  // Of a command that a server which refuses may refuse.
  void note_taken();
  // Extends the lease until its load has ended.
  void hold(const SharedLease& lease) LARDER_EXCLUDES(mutex_);
  // Has a key that waits looked at again in a while, or when the server is lost.
  void wait(const std::shared_ptr<PoolReading>& reading, std::size_t index, Duration delay)
      LARDER_EXCLUDES(mutex_);

 private:
  struct Waiter {
    std::shared_ptr<PoolReading> reading;
    std::size_t index;
    std::unique_ptr<Timer> timer{};
  };
  struct Held {
    std::string key;
    TimePoint until;  // it is extended no more
  };

  PoolServer(Runtime& runtime, const memcached::Place& place, const PoolOptions& options,
             std::shared_ptr<Tier> backplane);

  // ClientEvents.
  void connected(const memcached::Session& session) override LARDER_EXCLUDES(mutex_);
  void disconnected(const Error& why) override LARDER_EXCLUDES(mutex_);

  // What it has yet to be told.
  void deliver() LARDER_EXCLUDES(mutex_);
  void delivered(const Undelivered::Batch& batch, const Result<memcached::Replies>& replies)
      LARDER_EXCLUDES(mutex_);
  void distrust(const Error& why) LARDER_EXCLUDES(mutex_);
  void confirm(const std::string& cache, const std::optional<std::string>& name,
               const Result<memcached::Replies>& replies) LARDER_EXCLUDES(mutex_);
  void not_confirmed(const std::string& cache, const std::optional<std::string>& name,
                     const Error& error) LARDER_EXCLUDES(mutex_);
  void not_told(const Error& error) LARDER_EXCLUDES(mutex_);
  void end_telling(Confirmations::Step step) LARDER_EXCLUDES(mutex_);
  // Nobody may ask it before it has been told.
  void tell_first(std::string why) LARDER_REQUIRES(mutex_);
  // Carries the end of a write out; not confirmed, it becomes an invalidation, and where a commit
  // may still land for `at_stake`, the key is left to the source for so long.
  void end_write(const std::string& cache, const std::string& name, ItemStep::Refused refusal,
                 ItemStep::Decide decide, std::function<void(Change::Kind)> kept, Duration at_stake)
      LARDER_REQUIRES(mutex_);
  void write_ended(const std::string& cache, const std::string& name,
                   const Result<Change::Kind>& outcome, Duration at_stake) LARDER_EXCLUDES(mutex_);
  void set_trusted(bool trusted) LARDER_REQUIRES(mutex_);
  // It was not told this, and is not asked before it was.
  void keep(const std::string& cache, const std::optional<std::string>& name)
      LARDER_REQUIRES(mutex_);
  void leave_to_source(const std::string& item, Duration life) LARDER_REQUIRES(mutex_);
  [[nodiscard]] std::unique_ptr<Timer> deliver_soon() LARDER_REQUIRES(mutex_);

  // The step that a lease ends with; it may come to nothing. Whether it has begun.
  bool end_lease(const SharedLease& lease, ItemStep::Decide decide, ItemStep::Done done)
      LARDER_EXCLUDES(mutex_);
  void fill_refresh(const std::string& cache, const std::string& name, const SharedLease& lease,
                    std::string value, std::chrono::seconds life) LARDER_EXCLUDES(mutex_);
  void refreshed(const std::string& cache, const std::string& name,
                 const Result<memcached::Replies>& replies) LARDER_EXCLUDES(mutex_);
  void forget_later(const std::string& key, const std::string& token) LARDER_EXCLUDES(mutex_);
  void wake(std::uint64_t number) LARDER_EXCLUDES(mutex_);
  void wake_all() LARDER_EXCLUDES(mutex_);
  // For a step whose failure costs a load and no more: counts it.
  [[nodiscard]] ItemStep::Done noting();
  void extend_later() LARDER_REQUIRES(mutex_);
  void extend_all() LARDER_EXCLUDES(mutex_);

  const PoolOptions options_;
  const std::string place_;
  const KeyNames names_;
  const std::shared_ptr<Tier> backplane_;   // null: there is none …
  const std::shared_ptr<Hearing> hearing_;  // … and its
  const std::shared_ptr<Timers> timers_;
  std::shared_ptr<memcached::Client> client_;  // set once, by start(); to be used by others …
  std::atomic<bool> client_ready_{false};      // … once this says so
  SharedCounts counts_;
  Refusals refusals_;
  std::atomic<std::uint64_t> tokens_{0};
  const std::array<std::uint64_t, 2> token_seed_;

  mutable Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<memcached::Session> session_ LARDER_GUARDED_BY(mutex_);
  bool trusted_ LARDER_GUARDED_BY(mutex_) = false;
  std::uint64_t trusts_ LARDER_GUARDED_BY(mutex_) = 0;  // times that it became so
  std::string trouble_ LARDER_GUARDED_BY(mutex_);       // why not
  std::optional<bool> told_ LARDER_GUARDED_BY(mutex_);  // that it is there
  Undelivered undelivered_ LARDER_GUARDED_BY(mutex_);
  std::size_t in_delivery_ LARDER_GUARDED_BY(mutex_) = 0;  // taken from it, and not told yet
  std::unique_ptr<Timer> deliver_timer_ LARDER_GUARDED_BY(mutex_);
  bool delivering_ LARDER_GUARDED_BY(mutex_) = false;
  Confirmations telling_ LARDER_GUARDED_BY(mutex_);
  std::unordered_multiset<std::string> ending_ LARDER_GUARDED_BY(mutex_);  // writes, by item
  std::unordered_map<std::uint64_t, std::unique_ptr<Timer>> left_writes_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t left_ LARDER_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::uint64_t, Waiter> waiters_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t waited_ LARDER_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, Held> held_ LARDER_GUARDED_BY(mutex_);  // by token
  std::unique_ptr<Timer> extend_timer_ LARDER_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::unique_ptr<Timer>> forgets_
      LARDER_GUARDED_BY(mutex_);  // by token
};

}  // namespace larder::shared
