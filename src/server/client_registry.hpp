// The clients of a server: what each lets others know of it, and how to send it
// away.
//
// The lock is taken when a client comes, goes or introduces itself, and by who
// looks at the clients; never on the path of a hit. What a client does is told by
// its own thread in its Activity, without a lock.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"
#include "resp/reply_writer.hpp"
#include "server/command.hpp"

namespace larder {

// Where a client comes from, and where it came to, as people write it:
// "127.0.0.1:50312", "/run/larder.sock:0". Empty: not known.
struct ClientOrigin {
  std::string address{};
  std::string local_address{};
  int descriptor = -1;  // of its socket
};

// What a client says of itself.
struct Introduction {
  std::string name{};
  std::string library{};
  std::string library_version{};
};

// What a client does, as its own thread tells it now and then. Threads: written by
// its session's thread, but for `killed`; read by any.
struct ClientActivity {
  std::atomic<Duration::rep> last{0};            // since the clock's epoch: its last batch
  std::atomic<const Command*> command{nullptr};  // the last one; null: none yet
  std::atomic<std::size_t> unread{0};            // bytes received and not carried out
  std::atomic<std::size_t> unsent{0};            // bytes of replies
  std::atomic<std::int32_t> queued{-1};          // commands since MULTI; -1: none was said
  std::atomic<std::size_t> queued_bytes{0};      // that these take
  std::atomic<resp::Protocol> protocol{resp::Protocol::kResp2};
  std::atomic<bool> protected_from_eviction{false};  // CLIENT NO-EVICT
  std::atomic<bool> leaves_no_trace{false};          // CLIENT NO-TOUCH
  std::atomic<bool> monitors{false};
  std::atomic<bool> subscribed{false};  // to what Tracking tells
  std::atomic<bool> tracks{false};      // CLIENT TRACKING, and how
  std::atomic<bool> broadcasts{false};
  std::atomic<bool> redirect_broken{false};
  std::atomic<std::uint64_t> redirect{0};
  std::atomic<bool> has_news{false};  // by anybody: Tracking has something to tell it
  std::atomic<bool> killed{false};    // by anybody: its owner closes the connection
};

// A client at one moment.
struct ClientSnapshot {
  std::uint64_t id;
  ClientOrigin origin;
  Introduction introduction;
  std::string user;  // empty: nobody
  Duration age;
  Duration idle;  // since its last batch, or since it came
  const Command* command;
  std::size_t unread;
  std::size_t unsent;
  std::int32_t queued;
  std::size_t queued_bytes;
  resp::Protocol protocol;
  bool protected_from_eviction;
  bool leaves_no_trace;
  bool monitors;
  bool subscribed;
  bool tracks;
  bool broadcasts;
  bool redirect_broken;
  std::uint64_t redirect;
};

class ClientRegistry {
 public:
  // `activity` and `wake` live until remove(). `wake` may be called by any thread,
  // and leads to a look at `activity.killed` on the client's own.
  void add(std::uint64_t id, ClientOrigin origin, std::string user, TimePoint now,
           ClientActivity& activity, const std::function<void()>& wake) LARDER_EXCLUDES(mutex_);
  void remove(std::uint64_t id) LARDER_EXCLUDES(mutex_);

  // REQUIRES, of these: the client is here.
  [[nodiscard]] Introduction introduction(std::uint64_t id) const LARDER_EXCLUDES(mutex_);
  void introduce(std::uint64_t id, Introduction introduction) LARDER_EXCLUDES(mutex_);
  void set_user(std::uint64_t id, std::string_view user) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] ClientOrigin origin(std::uint64_t id) const LARDER_EXCLUDES(mutex_);

  [[nodiscard]] ClientSnapshot one(std::uint64_t id, TimePoint now) const LARDER_EXCLUDES(mutex_);

  // Calls visit(user, activity, wake) if the client is here, which stays meanwhile; whether it
  // is. It must not call the registry.
  template <class Visit>
  bool visit(std::uint64_t id, Visit&& visit) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    const auto found = clients_.find(id);
    if (found == clients_.end()) return false;
    visit(std::as_const(found->second.user), *found->second.activity, *found->second.wake);
    return true;
  }

  // All clients, the one that came first in front. O(clients), under the lock.
  [[nodiscard]] std::vector<ClientSnapshot> all(TimePoint now) const LARDER_EXCLUDES(mutex_);
  // Has the connections of these clients closed, soon; those that are gone already
  // are passed over.
  void kill(std::span<const std::uint64_t> ids) LARDER_EXCLUDES(mutex_);

 private:
  struct Client {
    ClientOrigin origin;
    Introduction introduction;
    std::string user;
    TimePoint since;
    ClientActivity* activity;
    const std::function<void()>* wake;
  };
  static ClientSnapshot snapshot(std::uint64_t id, const Client& client, TimePoint now);

  mutable Mutex mutex_;
  std::map<std::uint64_t, Client> clients_ LARDER_GUARDED_BY(mutex_);  // by id
};

}  // namespace larder
