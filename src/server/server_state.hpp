// What the sessions of a server know of it: who it is, what it holds, what it
// counted. Has no socket, so that a test has one too.
//
// Threads: any; each Counters is written by its own thread alone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "access/authenticator.hpp"
#include "cache/keyspace.hpp"
#include "config/shown.hpp"
#include "larder/thread_annotations.hpp"
#include "server/client_registry.hpp"
#include "server/counters.hpp"
#include "server/execution_gate.hpp"
#include "server/key_changes.hpp"
#include "server/leases.hpp"
#include "server/limits.hpp"
#include "server/monitor_feed.hpp"
#include "server/rate_meter.hpp"
#include "server/reload.hpp"
#include "server/server_stats.hpp"
#include "server/slow_log.hpp"
#include "server/tracking.hpp"
#include "server/wall_clock.hpp"

namespace larder {

// The Redis version whose behaviour the server follows; clients decide by it
// what they may ask.
inline constexpr std::string_view kRedisVersion = "7.0.0";

class ServerState {
 public:
  struct Identity {
    std::string config_file;
    std::uint16_t port = 0;
    bool tls = false;  // whether clients have to speak TLS
  };

  // `threads` is the number of I/O threads, each with its Counters.
  // `start_reload` may be empty.
  ServerState(Keyspace& keyspace, Limits limits, std::size_t threads, Identity identity,
              std::shared_ptr<Authenticator> authenticator, StartReload start_reload = {});
  ~ServerState() { leave_keyspace(); }
  ServerState(const ServerState&) = delete;
  ServerState& operator=(const ServerState&) = delete;

  [[nodiscard]] Keyspace& keyspace() const { return keyspace_; }
  // Whoever ends the server calls it while the keyspace is there: what is on its way in the
  // runtime may keep this longer. Nothing is asked of the keyspace any more.
  void leave_keyspace() {
    if (listening_.exchange(false)) keyspace_.tier().listen(nullptr);
  }
  // Those in force now; a reload brings others.
  [[nodiscard]] Limits limits() const LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return limits_;
  }
  void set_limits(const Limits& limits) LARDER_EXCLUDES(mutex_) {
    tracking_.set_limit(limits.max_tracking_memory);
    leases_.set_limit(limits.max_lease_memory);
    const MutexLock lock{mutex_};
    limits_ = limits;
  }
  // What CONFIG GET shows, beside Redis's names; a reload brings others.
  [[nodiscard]] std::shared_ptr<const std::vector<ShownSetting>> settings() const
      LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return settings_;
  }
  void show_settings(std::shared_ptr<const std::vector<ShownSetting>> settings)
      LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    settings_ = std::move(settings);
  }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  // Names this run of the server: 40 hex digits, different at each start.
  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  [[nodiscard]] Duration uptime() const { return keyspace_.clock().now() - started_; }

  // Who may do what. Any thread.
  [[nodiscard]] Authenticator& authenticator() const { return *authenticator_; }

  // Empty: there is no file to load anew.
  [[nodiscard]] const StartReload& start_reload() const { return start_reload_; }

  // What sessions of different threads agree on.
  [[nodiscard]] ExecutionGate& gate() { return gate_; }
  [[nodiscard]] WallClock& wall_clock() { return wall_clock_; }
  [[nodiscard]] SlowLog& slow_log() { return slow_log_; }
  // What INFO shows: what was counted since the start, or since reset_stats().
  [[nodiscard]] ServerStats stats() const LARDER_EXCLUDES(mutex_);
  void reset_stats() LARDER_EXCLUDES(mutex_);
  // Commands, bytes received and bytes sent, a second.
  [[nodiscard]] RateMeter<3>& rates() { return rates_; }
  [[nodiscard]] ClientRegistry& clients() { return clients_; }
  [[nodiscard]] MonitorFeed& monitors() { return monitors_; }
  [[nodiscard]] Tracking& tracking() { return tracking_; }
  [[nodiscard]] const Tracking& tracking() const { return tracking_; }
  [[nodiscard]] Leases& leases() { return leases_; }
  [[nodiscard]] const Leases& leases() const { return leases_; }

  [[nodiscard]] Counters& counters(std::size_t thread) { return counters_[thread]; }
  [[nodiscard]] std::span<const Counters> counters() const { return counters_; }
  // The sum of one tally over all threads.
  [[nodiscard]] std::uint64_t sum(Tally Counters::* tally) const;
  [[nodiscard]] std::uint64_t calls(std::size_t command) const;
  [[nodiscard]] std::uint64_t met(LimitMet limit) const;

  // Bytes of memory that all clients keep, and that are kept for them.
  [[nodiscard]] std::uint64_t client_memory() const {
    return sum(&Counters::memory) + monitors_.waiting() + tracking_.waiting();
  }
  // What happens when clients keep too much memory together. Before the threads start.
  void set_shed(std::function<void()> shed) { shed_ = std::move(shed); }
  // Sees to that if they keep more than `most`. By workers, when one of theirs keeps more,
  // or more is kept for somebody.
  void watch_memory(ByteCount most) const {
    if (client_memory() > most.bytes && shed_) shed_();
  }

  // Connections that were turned away: because there were too many in all, too many of
  // their address, or because that, or all together, opened them too fast.
  enum class Rejection : std::uint8_t { kClients, kAddress, kRate, kTotalRate };
  static constexpr std::size_t kRejections = 4;
  void count_rejected(Rejection why) {
    rejected_[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t rejected(Rejection why) const {
    return rejected_[static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t rejected() const;
  // Whether the server is on its way down.
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    leases_.close();
  }
  [[nodiscard]] std::uint64_t next_client_id() { return next_client_id_.fetch_add(1); }

 private:
  Keyspace& keyspace_;
  mutable Mutex mutex_;
  Limits limits_ LARDER_GUARDED_BY(mutex_);
  std::shared_ptr<const std::vector<ShownSetting>> settings_ LARDER_GUARDED_BY(mutex_) =
      std::make_shared<const std::vector<ShownSetting>>();
  ServerStats forgotten_ LARDER_GUARDED_BY(mutex_);  // as they were at reset_stats()
  const Identity identity_;
  std::atomic<bool> listening_{true};  // to the keyspace's changes
  const std::shared_ptr<Authenticator> authenticator_;
  const StartReload start_reload_;
  const std::string run_id_;
  const TimePoint started_;
  ExecutionGate gate_;
  WallClock wall_clock_;
  ClientRegistry clients_;
  MonitorFeed monitors_;
  Tracking tracking_;
  Leases leases_;
  KeyChanges changes_{tracking_, leases_};
  SlowLog slow_log_;
  RateMeter<3> rates_;
  std::vector<Counters> counters_;
  std::function<void()> shed_;
  std::atomic<bool> stopping_{false};
  std::array<std::atomic<std::uint64_t>, kRejections> rejected_{};
  std::atomic<std::uint64_t> next_client_id_{1};
};

}  // namespace larder
