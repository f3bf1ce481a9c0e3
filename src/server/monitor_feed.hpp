// What MONITOR shows: each command that the server carries out, as a line to every
// client that watches.
//
// Costs the commands one read of what nobody writes while nobody watches. A watcher
// that is not woken fast enough to take its lines loses them all, and is told so: its
// connection is closed, rather than that the server's memory holds them.
//
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"

namespace larder {

class MonitorFeed {
 public:
  static constexpr std::size_t kMostWords = 128;    // of a command
  static constexpr std::size_t kMostOfWord = 1024;  // bytes

  using Time = std::chrono::system_clock::time_point;

  // Whether tell() has anybody to tell. Hot: guarded by bench/server.
  [[nodiscard]] bool watched() const { return watchers_.load(std::memory_order_relaxed) != 0; }

  // Client `id` watches from now on, and at most `most` bytes wait for it. `wake`, which
  // lives until remove(), is called from any thread when there are lines, and again only
  // after a take(). It must not block.
  void add(std::uint64_t id, ByteCount most, const std::function<void()>& wake)
      LARDER_EXCLUDES(mutex_);
  void remove(std::uint64_t id) LARDER_EXCLUDES(mutex_);

  // Shows a command of the client at `address`, carried out at `at`. Its words hold no
  // secret; see redacted().
  void tell(Time at, std::string_view address, std::span<const std::string_view> words)
      LARDER_EXCLUDES(mutex_);

  // The lines for a watcher since its last take(), as simple replies; none: it lost some.
  // REQUIRES: it watches.
  [[nodiscard]] std::optional<std::string> take(std::uint64_t id) LARDER_EXCLUDES(mutex_);

  // Bytes of memory that lines take which wait to be taken: all, and a watcher's. REQUIRES,
  // of the latter: it watches.
  [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t waiting_for(std::uint64_t id) const LARDER_EXCLUDES(mutex_);

 private:
  struct Watcher {
    const std::function<void()>* wake;
    std::size_t most;  // bytes of `pending`
    std::string pending{};
    bool lost = false;
    bool awake = false;

    [[nodiscard]] std::size_t waiting() const { return pending.empty() ? 0 : pending.capacity(); }
  };

  void count(std::size_t before, std::size_t now) LARDER_REQUIRES(mutex_);

  std::atomic<std::size_t> watchers_{0};
  alignas(64) mutable Mutex mutex_;
  std::atomic<std::size_t> waiting_{0};  // written under the lock
  std::map<std::uint64_t, Watcher> by_id_ LARDER_GUARDED_BY(mutex_);
};

// A command as MONITOR shows it: 1339518083.107412 [0 127.0.0.1:60866] "get" "tag:a".
[[nodiscard]] std::string monitor_line(MonitorFeed::Time at, std::string_view address,
                                       std::span<const std::string_view> words);

}  // namespace larder
