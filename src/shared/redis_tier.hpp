// The shared tier over one Redis or Valkey, or over one master of a cluster: carries out the steps
// of the lease protocol (lease.hpp) for the caches of one process.
//
//   auto tier = RedisTier::start(runtime, {.url = url});
//   options.shared = (*tier)->copies("product", fingerprint);
//
// Trust. The tier is asked only while it is known to have been told of every
// invalidation of this process. After a lost connection, an error or a silence, what was
// not confirmed is told first; until that is confirmed reads are sent to the source. So
// the tier's failures cost one command's timeout once, not one each read: this is its
// circuit breaker, and the telling is its probe. Once a second it is probed as well whether
// it still takes what it is told, from whomever; if not, memory is believed no more either.
//
// Order. All commands of a process go over one connection, so a read that begins after an
// invalidation was handed on is behind it.
//
// In a cluster. It has the buckets that it is given, and tells `elsewhere` what the server
// says is another's; see routed_tier.hpp.
//
// Announcements. What this process invalidates, others hear through the backplane, and drop
// from their memory.
//
// Waiting. Who finds another's lease is told by the server when it changes (client-side
// caching of RESP3), and looks again when the lease would end; without RESP3 it looks now
// and then, ever more seldom.
//
// Threads: any. Lock order: the tier's, then the client's; nobody is called back under
// the tier's. Lifetime: held by shared_ptr; the runtime may end before it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/clock.hpp"
#include "larder/closable.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "redis/client.hpp"
#include "shared/channel_backplane.hpp"
#include "shared/confirmations.hpp"
#include "shared/elsewhere.hpp"
#include "shared/envelope.hpp"
#include "shared/hearing.hpp"
#include "shared/key_names.hpp"
#include "shared/lease.hpp"
#include "shared/refusals.hpp"
#include "shared/shared_counts.hpp"
#include "shared/stream_backplane.hpp"
#include "shared/tier.hpp"
#include "shared/undelivered.hpp"

namespace larder::shared {

class Copies;
class FleetLoads;
class Reading;

// What a tier is called in what is told of it, and what its loss means.
struct Wording {
  std::string name = "the shared tier";
  std::string lost = "reads go to the source";
  std::string holes = "reads of their keys go to the source";  // of slots without a master
};

struct RedisTierOptions {
  redis::RedisUrl url{};
  std::string name_space = "larder";  // in front of every key: separates deployments
  // Behaviour.
  Duration timeout = std::chrono::milliseconds{250};  // of a command
  // A lease ends so long after its holder's last sign of life.
  Duration lease = std::chrono::seconds{3};
  // No load takes longer: its lease is not extended beyond, nor waited for.
  Duration longest_load = std::chrono::seconds{30};
  Duration failure = std::chrono::milliseconds{200};  // so long a failure is told
  Duration probe = std::chrono::seconds{1};  // between looks whether it takes what it is told
  Duration quiet = Refusals::kQuiet;  // without a refusal, until it is said that there are none
  EnvelopeOptions envelope{};
  bool in_cluster = false;
  std::weak_ptr<Elsewhere> elsewhere{};  // in a cluster
  std::shared_ptr<Hearing> hearing{};    // of several servers; null: its own
  std::size_t most_commands = redis::ClientOptions{}.most_commands;  // without an answer yet
  std::size_t most_undelivered = 20'000;  // keys; past them whole caches are invalidated
  // Called when the tier is lost or is there again, with a sentence; any thread, never often.
  std::function<void(bool there, const std::string& sentence)> tell{};
  Wording wording{};
};

class RedisTier final : public Tier,
                        public redis::ClientEvents,
                        public BackplaneEvents,
                        public std::enable_shared_from_this<RedisTier> {
 public:
  // Begins to connect; a server that is not there yet is no error.
  [[nodiscard]] static Result<std::shared_ptr<RedisTier>> start(Runtime& runtime,
                                                                RedisTierOptions options);
  ~RedisTier() override;
  RedisTier(const RedisTier&) = delete;
  RedisTier& operator=(const RedisTier&) = delete;

  [[nodiscard]] std::shared_ptr<SharedCopies> copies(std::string cache,
                                                     std::uint64_t fingerprint) override;
  [[nodiscard]] std::shared_ptr<FleetGate> fleet_gate(FleetLimit limit) override
      LARDER_EXCLUDES(mutex_);
  [[nodiscard]] bool trusted() const override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::string trouble() const override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] SharedStats stats() const override LARDER_EXCLUDES(mutex_);
  [[nodiscard]] redis::ClientHealth health() const { return client_->health(); }
  [[nodiscard]] const RedisTierOptions& options() const { return options_; }

  [[nodiscard]] const KeyNames& names() const { return names_; }
  [[nodiscard]] std::shared_ptr<Hearing> hearing() const override { return hearing_; }

  // Sends nothing and answers nothing any more: who waits is sent to the source.
  void close() override LARDER_EXCLUDES(mutex_);

  // ---- For who routes to several of them. Calls nobody back. ----

  using Buckets = std::set<KeyNames::Bucket>;
  // The buckets that are this server's, from now on. What it has yet to be told of others
  // is given back, to be told elsewhere.
  [[nodiscard]] Undelivered::Batch assign(Buckets buckets) LARDER_EXCLUDES(mutex_);
  // It is a master still, as was said since it was connected; before that it is not trusted,
  // for it may be one that was away while another took its place.
  void vouch() LARDER_EXCLUDES(mutex_);
  // It is to be told this before it is trusted again.
  void adopt(const Undelivered::Batch& batch) LARDER_EXCLUDES(mutex_);
  // It is no part of the cluster any more, and close() follows. What it has yet to be told; what
  // it is being told goes elsewhere when that has ended, and is counted there.
  [[nodiscard]] Undelivered::Batch retire() LARDER_EXCLUDES(mutex_);
  // `name` is the key's in the tier.
  void invalidate(const std::string& cache, std::string name) LARDER_EXCLUDES(mutex_);
  void clear(const std::string& cache) LARDER_EXCLUDES(mutex_);
  // A write has ended; `value` as it is to stand there, empty: nothing.
  void finish(const std::string& cache, const SharedMark& mark, std::string value, Duration left)
      LARDER_EXCLUDES(mutex_);
  void leave(const std::string& cache, const SharedMark& mark, Duration life)
      LARDER_EXCLUDES(mutex_);
  // Calls it when the server has answered all of that, or it is known that it does not; perhaps
  // before this returns.
  void once_told(Confirmations::Then then) LARDER_EXCLUDES(mutex_);
  // Has a listener of a cache told of what is announced here.
  void listen(const std::string& cache, std::weak_ptr<SharedListener> listener)
      LARDER_EXCLUDES(mutex_);

 private:
  friend class Copies;  // these are parts of it, in files of their own
  friend class FleetLoads;
  friend class Reading;
  using ReadingPtr = std::shared_ptr<Reading>;

  // One key that waits for another's lease to end.
  struct Waiter {
    ReadingPtr reading;
    std::size_t index;
    std::unique_ptr<Timer> timer{};
  };
  struct Held {
    std::string key;
    std::uint64_t run;
    TimePoint until;  // it is extended no more
  };

  RedisTier(Runtime& runtime, RedisTierOptions options);
  [[nodiscard]] Result<void> start_backplane(Runtime& runtime, const redis::ClientOptions& client);

  // ClientEvents.
  void connected(const redis::Session& session) override LARDER_EXCLUDES(mutex_);
  void disconnected(const Error& why) override LARDER_EXCLUDES(mutex_);
  void changed(std::optional<std::string_view> key) override LARDER_EXCLUDES(mutex_);

  // BackplaneEvents.
  void announced(const Announcement& announcement) override LARDER_EXCLUDES(mutex_);
  void missed() override LARDER_EXCLUDES(mutex_);
  void heard_until(TimePoint asked) override LARDER_EXCLUDES(mutex_);
  void not_followed(const resp::Reply& why) override;
  void not_connected(const Error& why) override LARDER_EXCLUDES(mutex_);
  void followed() override;

  // The run to ask, while trusted.
  [[nodiscard]] std::optional<redis::Session> session() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::string new_token() LARDER_EXCLUDES(mutex_);

  // Sends calls together, by name where they may be, and again as texts if the server does
  // not know them. `done` gets their replies, or why there are none.
  void call(std::uint64_t run, std::vector<Call> calls, redis::Done done);
  [[nodiscard]] std::optional<Error> submit(std::uint64_t run, const std::vector<Call>& calls,
                                            bool by_name, redis::Done done);

  // What one call tells: a key, or for a bucket that a whole cache is invalid; of the probe
  // neither.
  struct Told {
    std::string cache{};
    std::optional<std::string> key{};
  };
  struct Delivery {
    Undelivered::Batch batch;
    std::vector<Told> told;
    std::vector<Call> calls;
  };
  // Whoever lets go of it last ends something.
  using Open = std::shared_ptr<void>;

  // Trust.
  void deliver() LARDER_EXCLUDES(mutex_);
  void delivered(const Delivery& delivery, const Result<redis::Replies>& replies)
      LARDER_EXCLUDES(mutex_);
  void distrust(const Error& why) LARDER_EXCLUDES(mutex_);
  // Whether it still takes what it is told, now and then.
  void probe_later() LARDER_REQUIRES(mutex_);
  void probe() LARDER_EXCLUDES(mutex_);
  void probed(const Result<redis::Replies>& replies) LARDER_EXCLUDES(mutex_);
  void confirm(const Told& told, const std::vector<Call>& calls,
               const Result<redis::Replies>& replies, const Open& open) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::unique_ptr<Timer> deliver_soon(Duration delay) LARDER_REQUIRES(mutex_);
  void note_error(const Error& error);
  // A reply that may be an error: it may mean that the cluster has changed, or that the server
  // is there and refuses what it is asked, being full or without a right: that is told, once.
  void note_reply(const resp::Reply& reply) LARDER_EXCLUDES(mutex_);
  void note_refusal(const std::string& text) LARDER_EXCLUDES(mutex_);
  void cannot_follow(const std::string& why);
  // It takes what it may have refused before.
  void note_taken() LARDER_EXCLUDES(mutex_);
  void tell_first(std::string why) LARDER_REQUIRES(mutex_);
  void forward_retired() LARDER_EXCLUDES(mutex_);
  void tell_elsewhere(const std::vector<Told>& moved);

  // ASK: has the master that is named carry the step out, and announces it here, where others
  // listen. Whether both came about is told to `done`, once, on any thread.
  void follow(const Call& step, const resp::Reply& ask, std::function<void(bool)> done);
  void announce_here(const Call& step, const std::function<void(bool)>& done);
  // Whether the reply is an ASK, which is followed; in vain, it is told elsewhere. `open` lasts so
  // long.
  [[nodiscard]] bool follow_ask(const Told& told, const Call& step, const resp::Reply& reply,
                                const Open& open);

  // Waiting.
  void wait(const ReadingPtr& reading, std::size_t index, Duration delay) LARDER_EXCLUDES(mutex_);
  void wake(std::string_view key) LARDER_EXCLUDES(mutex_);
  void wake_all() LARDER_EXCLUDES(mutex_);

  // Leases that this process holds.
  void hold(const SharedLease& lease) LARDER_EXCLUDES(mutex_);
  void let_go(const SharedLease& lease) LARDER_EXCLUDES(mutex_);
  void extend_later() LARDER_REQUIRES(mutex_);
  void extend_all() LARDER_EXCLUDES(mutex_);

  // What the server said to them: a generation and a mark each. `open` lasts until each mark is
  // taken, or is not.
  using Marks = std::shared_ptr<std::vector<SharedMark>>;
  void take_marks(std::uint64_t run, const std::vector<Call>& calls,
                  const Result<redis::Replies>& replies, const Marks& marks, const Open& open);
  void follow_mark(std::uint64_t run, const Call& step, const resp::Reply& ask, SharedMark& mark,
                   const Marks& marks, const Open& open);

  [[nodiscard]] Announce announce(const std::string& cache, const std::string& name) const;
  // Sends steps of which this process's reads are to be behind; not confirmed, they become an
  // invalidation.
  void tell(Told told, std::vector<Call> calls) LARDER_REQUIRES(mutex_);
  void tell_later(const Told& told) LARDER_REQUIRES(mutex_);
  void end_telling(Confirmations::Step step) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Call invalidation(const std::string& cache, const std::string& name) const;
  [[nodiscard]] std::vector<Call> clearing(const std::string& cache) const LARDER_REQUIRES(mutex_);

  const RedisTierOptions options_;
  const KeyNames names_;
  const std::shared_ptr<Timers> timers_;
  std::shared_ptr<redis::Client> client_;       // set once, by start(); to be used by others …
  std::atomic<bool> client_ready_{false};       // … once this says so
  std::shared_ptr<Backplane> backplane_;        // likewise
  std::shared_ptr<ChannelBackplane> channels_;  // the same, in a cluster; else null
  std::shared_ptr<Hearing> hearing_;            // set once, by start(), before them
  SharedCounts counts_;

  mutable Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  bool retired_ LARDER_GUARDED_BY(mutex_) = false;
  bool vouched_ LARDER_GUARDED_BY(mutex_) =
      true;  // of this connection; of a server by itself always
  Buckets buckets_ LARDER_GUARDED_BY(mutex_){0};
  std::optional<redis::Session> session_ LARDER_GUARDED_BY(mutex_);
  bool trusted_ LARDER_GUARDED_BY(mutex_) = false;
  std::string trouble_ LARDER_GUARDED_BY(mutex_);        // why not
  std::optional<bool> told_ LARDER_GUARDED_BY(mutex_);   // whether it is there
  bool refusal_told_ LARDER_GUARDED_BY(mutex_) = false;  // … that it will not have this process
  Refusals refusals_;                                    // of commands
  Refusals following_refusals_;                          // to be followed
  Undelivered undelivered_ LARDER_GUARDED_BY(mutex_);
  std::size_t in_delivery_ LARDER_GUARDED_BY(mutex_) = 0;  // taken from it, and not told yet
  Confirmations telling_ LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> deliver_timer_ LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> probe_timer_ LARDER_GUARDED_BY(mutex_);
  bool delivering_ LARDER_GUARDED_BY(mutex_) = false;
  std::unordered_multimap<std::string, Waiter> waiters_ LARDER_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::weak_ptr<SharedListener>>> listeners_
      LARDER_GUARDED_BY(mutex_);                                          // by cache
  std::unordered_map<std::string, Held> held_ LARDER_GUARDED_BY(mutex_);  // by token
  std::vector<std::weak_ptr<FleetLoads>> fleet_loads_ LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> extend_timer_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t tokens_ LARDER_GUARDED_BY(mutex_) = 0;
  const std::array<std::uint64_t, 2> token_seed_;
};

}  // namespace larder::shared
