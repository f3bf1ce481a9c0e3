// What clients keep copies of, and who has to hear that a key changed: CLIENT TRACKING.
//
// A client in the ordinary mode is remembered for each key that it reads, and told once
// when the key changes; one that broadcasts is told of every key that begins with one of its
// prefixes. What changes is told by the memory tier, whoever changed it. A message goes to
// the client itself or to the one that it redirects to, waits there until that client's
// thread takes it, and wakes it.
//
// Bounded: the table of remembered keys has a limit in bytes, past which clients are told of
// keys at random, and these forgotten; and of what waits for a client that does not take
// it, nothing is left but that all it has may be old.
//
// Costs nothing while nobody tracks, but one look at what nobody writes for each change.
//
// Threads: any. One lock, taken for each read of a client that tracks and for each change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "larder/memory_listener.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"

namespace larder {

class Tracking final : public MemoryListener<std::string_view> {
 public:
  using Id = std::uint64_t;                                       // of a client
  static constexpr std::size_t kMostNews = std::size_t{1} << 20;  // bytes that wait for a client

  // How a client wants to be told.
  struct Options {
    Id redirect = 0;  // to whom it goes; 0: to itself
    bool broadcasts = false;
    bool no_loop = false;  // not of what it changes itself
    std::vector<std::string> prefixes{};
  };
  // What a client is told.
  struct News {
    bool everything = false;  // whatever it keeps may be old
    struct Change {
      std::string key;
      bool redirected;  // to it, by another client
    };
    std::vector<Change> changes{};
    bool everything_redirected = false;
    Id lost = 0;  // the client that it redirects to is gone; 0: it is not
    std::size_t bytes = 0;
  };
  struct Counts {
    std::size_t clients = 0;
    std::size_t keys = 0;
    std::size_t items = 0;  // clients of all keys
    std::size_t prefixes = 0;
    std::size_t bytes = 0;  // of the table
    std::uint64_t told = 0;
    std::uint64_t evicted = 0;  // keys that the table had no room for
  };

  // `threads`: as many as act() is called by.
  explicit Tracking(std::size_t threads);

  // Bounds the table.
  void set_limit(ByteCount most) LARDER_EXCLUDES(mutex_);

  // ---- Clients. ----

  // A client that may be told something from now on: one that tracks, or that others redirect
  // to. `has_news` and `wake` live until leave(). When there is something to take(), by any
  // thread, the one is set and the other called, which must not block; and again only after
  // a take().
  void join(Id client, std::atomic<bool>& has_news, const std::function<void()>& wake)
      LARDER_EXCLUDES(mutex_);
  void leave(Id client) LARDER_EXCLUDES(mutex_);

  // It tracks from now on, or tracks differently: prefixes are added to those it had.
  // REQUIRES: it joined.
  void track(Id id, const Options& options) LARDER_EXCLUDES(mutex_);
  void track_no_more(Id id) LARDER_EXCLUDES(mutex_);

  // Before it reads the key, so that no change after that is missed.
  void remember(Id client, std::string_view key) LARDER_EXCLUDES(mutex_);
  // What the client carries out on this thread it does itself; 0: no more. By the thread of
  // that number alone.
  void act(std::size_t thread, Id client);

  // The client, which tracks, was given a value that memory does not keep: nothing will tell
  // when it is old.
  void not_kept(Id client, std::string_view key) LARDER_EXCLUDES(mutex_);

  // What it is to be told since its last take(). REQUIRES: it joined.
  [[nodiscard]] News take(Id client) LARDER_EXCLUDES(mutex_);

  // ---- What happens. ----

  void changed(std::string_view key) override LARDER_EXCLUDES(mutex_);
  void cleared(std::optional<Space> space) override LARDER_EXCLUDES(mutex_);

  // ---- For people. ----

  [[nodiscard]] Counts counts() const LARDER_EXCLUDES(mutex_);
  // Bytes that wait for clients to take them.
  [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t waiting_for(Id client) const LARDER_EXCLUDES(mutex_);

 private:
  struct Client {
    std::atomic<bool>* has_news;
    const std::function<void()>* wake;
    bool tracks = false;
    Options options{};
    News news{};
    bool awake = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };
  using Table = std::unordered_map<std::string, std::vector<Id>, Hash, std::equal_to<>>;
  // Who acts on a thread; written by that thread alone.
  struct alignas(64) Actor {
    std::atomic<std::thread::id> thread{};
    std::atomic<Id> client{0};
  };

  [[nodiscard]] Id acting() const;
  void make_room() LARDER_REQUIRES(mutex_);
  void tell(Id id, std::string_view key, Id actor) LARDER_REQUIRES(mutex_);
  void tell_everything(Client& client) LARDER_REQUIRES(mutex_);
  // Where what the client is told goes; null: nowhere, which it is told.
  Client* receiver_of(Client& client) LARDER_REQUIRES(mutex_);
  void drop_news(Client& receiver) LARDER_REQUIRES(mutex_);
  void forget_all(Client& receiver, bool redirected) LARDER_REQUIRES(mutex_);
  void add_change(Client& receiver, std::string_view key, bool redirected) LARDER_REQUIRES(mutex_);
  void wake(Client& client) LARDER_REQUIRES(mutex_);
  void drop_prefixes(Id id, const Client& client) LARDER_REQUIRES(mutex_);

  std::atomic<std::size_t> tracking_{0};  // clients that do
  std::atomic<std::size_t> no_loops_{0};  // and of these, that do not want to hear of themselves
  std::vector<Actor> actors_;             // by thread
  std::atomic<std::size_t> waiting_{0};   // written under the lock
  alignas(64) mutable Mutex mutex_;
  std::size_t most_ LARDER_GUARDED_BY(mutex_) = std::size_t{64} << 20;
  std::unordered_map<Id, Client> clients_ LARDER_GUARDED_BY(mutex_);
  Table table_ LARDER_GUARDED_BY(mutex_);
  std::map<std::string, std::set<Id>, std::less<>> by_prefix_ LARDER_GUARDED_BY(mutex_);
  std::map<std::size_t, std::size_t> prefix_sizes_ LARDER_GUARDED_BY(mutex_);  // how many of each
  std::size_t items_ LARDER_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t told_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t evicted_ LARDER_GUARDED_BY(mutex_) = 0;
  std::minstd_rand random_ LARDER_GUARDED_BY(mutex_){std::random_device{}()};
};

}  // namespace larder
