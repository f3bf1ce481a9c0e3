// Knows where the masters of a cluster, or of sentinels, are: asks one node or sentinel at a
// time, now and then, when told that something seems to have changed, and the next one when
// that one is gone or does not know better.
//
// However often it is told so, it asks at most ten times a second.
//
// Threads: any thread may call any member. Lifetime: close() or the destructor end it;
// close() is called before the runtime ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "redis/client.hpp"
#include "redis/topology.hpp"

namespace larder::redis {

// What a guide tells. Called on I/O threads, perhaps on two at a time.
class GuideEvents {
 public:
  virtual ~GuideEvents() = default;
  // What it was told, though it be what it was told before.
  virtual void guided(const Topology& topology) = 0;
  // Nobody tells at the moment; it goes on asking.
  virtual void lost_way(const Error& why) = 0;
};

class Guide : public std::enable_shared_from_this<Guide> {
 public:
  // `client.url` is a cluster's or sentinels'. Errors: as Client::start.
  [[nodiscard]] static Result<std::shared_ptr<Guide>> start(Runtime& runtime, ClientOptions client,
                                                            std::weak_ptr<GuideEvents> events);
  ~Guide() { close(); }
  Guide(const Guide&) = delete;
  Guide& operator=(const Guide&) = delete;

  // Something seems to have changed: asks soon.
  void suspect() LARDER_EXCLUDES(mutex_);
  void close() LARDER_EXCLUDES(mutex_);

 private:
  class Attempt;  // what one client tells

  Guide(Runtime& runtime, ClientOptions client, std::weak_ptr<GuideEvents> events);

  void set_candidates() LARDER_REQUIRES(mutex_);
  [[nodiscard]] Result<void> try_next() LARDER_REQUIRES(mutex_);
  void try_next_later() LARDER_REQUIRES(mutex_);
  void connected(std::uint64_t attempt) LARDER_EXCLUDES(mutex_);
  void disconnected(std::uint64_t attempt, const Error& why) LARDER_EXCLUDES(mutex_);
  void ask() LARDER_EXCLUDES(mutex_);
  void ask_after(Duration delay) LARDER_REQUIRES(mutex_);
  void take(std::uint64_t attempt, const Result<Replies>& replies) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Result<Topology> understood(const resp::Reply& reply) const LARDER_REQUIRES(mutex_);
  void learned(const Topology& topology) LARDER_REQUIRES(mutex_);

  Runtime& runtime_;  // while not closed
  const std::shared_ptr<Timers> timers_;
  const ClientOptions options_;
  const std::weak_ptr<GuideEvents> events_;

  // Order: this, then a client's. Nobody is told anything under it.
  Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<Place> candidates_ LARDER_GUARDED_BY(mutex_);
  std::size_t next_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t attempt_ LARDER_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<ClientEvents> attempt_events_ LARDER_GUARDED_BY(mutex_);
  std::shared_ptr<Client> client_ LARDER_GUARDED_BY(mutex_);
  Backoff backoff_ LARDER_GUARDED_BY(mutex_){{}};
  bool asking_ LARDER_GUARDED_BY(mutex_) = false;
  bool suspected_ LARDER_GUARDED_BY(mutex_) = false;  // since it asked last
  bool by_slots_ LARDER_GUARDED_BY(mutex_) = false;   // the cluster has no CLUSTER SHARDS
  unsigned no_better_ LARDER_GUARDED_BY(mutex_) = 0;  // suspicions that its answer did not settle
  TimePoint asked_ LARDER_GUARDED_BY(mutex_){};
  Topology topology_ LARDER_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);  // for the next question or attempt
};

}  // namespace larder::redis
