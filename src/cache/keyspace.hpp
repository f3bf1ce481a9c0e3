// The keys of one server: several caches of bytes over one memory tier, each
// cache with the keys that fit its pattern.
//
// A hit is one lookup by the whole key: the entry itself says which cache it
// belongs to. Only what is not in memory, and every write, is routed by pattern.
//
// Doors talk to a Keyspace through a KeyspaceView, one a thread: the table of
// caches may then be replaced while the server runs, and no reader pays for it.
// A cache that a replacement leaves as it is keeps its copies, its loads and its
// counts. The number of a cache in the tier (its space) is never given to another:
// what a straggler leaves under it is nobody's, rather than somebody else's.
//
// Threads: any, but for KeyspaceView. The Runtime must outlive the Keyspace.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_pattern.hpp"
#include "cache/expiry_timer.hpp"
#include "larder/cache.hpp"
#include "larder/memory_tier.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/vouch.hpp"

namespace larder {

using BytesCache = Cache<std::string, std::string>;
using BytesTier = MemoryTier<std::string, std::string>;

// One cache of a keyspace. The keyspace sets the options' `tier` and `space`.
struct KeyspaceCache {
  KeyPattern pattern;
  CacheOptions<std::string, std::string> options;
};

class Keyspace {
 public:
  // A cache and the keys that are its own.
  struct Member {
    KeyPattern pattern;
    std::shared_ptr<BytesCache> cache;
  };

  // Throws as make() does.
  Keyspace(Runtime& runtime, MemoryOptions memory, std::vector<KeyspaceCache> caches);
  ~Keyspace() { expiry_->stop(); }
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] BytesTier& tier() { return *tier_; }
  [[nodiscard]] const BytesTier& tier() const { return *tier_; }
  // The caches, in the order in which they were given.
  [[nodiscard]] std::shared_ptr<const std::vector<Member>> members() const LARDER_EXCLUDES(mutex_);

  // Drops every copy of every cache; loads that are under way fill nothing.
  void clear();

  // A cache for replace(). With `before`, a cache of this keyspace that it shall take
  // the place of, it goes on with that one's copies; otherwise it starts empty.
  // Throws std::invalid_argument when its options cannot work, std::length_error when
  // there have been 65536 caches.
  [[nodiscard]] Member make(KeyspaceCache cache, const BytesCache* before = nullptr)
      LARDER_EXCLUDES(mutex_);
  // From now on these are the caches: any of members(), and what make() gave. The
  // loads of those that are gone answer their readers and fill nothing, and copies
  // that no cache goes on with are dropped. Gives back the table that was, which may
  // be the last to hold what is slow to close. REQUIRES: nobody uses a view
  // meanwhile, and each is refreshed before it is used again.
  [[nodiscard]] std::shared_ptr<const std::vector<Member>> replace(std::vector<Member> members)
      LARDER_EXCLUDES(mutex_);

 private:
  friend class KeyspaceView;

  // The caches by both ways of finding them. Never changed, only replaced.
  struct Table {
    explicit Table(std::vector<Member> caches);

    std::vector<Member> members;
    std::vector<BytesCache*> by_space;              // null where there is none any more
    std::vector<std::shared_ptr<Vouch>> vouches{};  // of their copies, each once
  };

  [[nodiscard]] std::shared_ptr<const Table> table() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Space new_space() LARDER_EXCLUDES(mutex_);

  Runtime& runtime_;
  const Clock& clock_;
  const std::shared_ptr<BytesTier> tier_;
  const std::shared_ptr<ExpiryTimer<BytesTier>> expiry_;
  mutable Mutex mutex_;
  std::size_t spaces_ LARDER_GUARDED_BY(mutex_) = 0;  // that were given out
  std::shared_ptr<const Table> table_ LARDER_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> version_{1};  // counts the replacements of table_
};

// One thread's sight of a Keyspace. Caches that it hands out live at least until
// its next refresh().
//
// Threads: confined to one. The Keyspace must outlive it.
class KeyspaceView {
 public:
  explicit KeyspaceView(Keyspace& keyspace);

  // Takes notice of caches that came, went or changed. Cheap when none did: one
  // read of a line that nobody writes.
  void refresh() {
    if (keyspace_.version_.load(std::memory_order_acquire) != version_) reload();
  }
  // The same, and sees to it that what memory holds may be served at `now`. Call it before each
  // batch of work. With a shared tier, one more read of a line that is seldom written.
  void refresh(TimePoint now) {
    refresh();
    for (const auto& vouch : table_->vouches) {
      if (!vouch->holds(now)) [[unlikely]]
        vouch->lapse(now);
    }
  }

  // Calls visitor(std::string_view value, const EntryInfo&) if memory has the
  // key, and counts the hit. No lock beyond the tier's, no allocation. Guarded
  // by bench/server.
  template <class Visitor>
  bool visit(std::string_view key, TimePoint now, Visitor&& visitor) {
    return counted([&](auto&& look) { keyspace_.tier_->visit(key, now, look); }, visitor);
  }

  // The same, without making the entry any hotter.
  template <class Visitor>
  bool visit_untouched(std::string_view key, TimePoint now, Visitor&& visitor) {
    return counted([&](auto&& look) { inspect(key, now, look); }, visitor);
  }

  // The same, uncounted, too.
  template <class Visitor>
  bool inspect(std::string_view key, TimePoint now, Visitor&& visitor) const {
    return std::as_const(*keyspace_.tier_).inspect(key, now, std::forward<Visitor>(visitor));
  }

  // Has the processor fetch what is kept of a key that will be asked for soon.
  void prefetch(std::string_view key) const { keyspace_.tier_->prefetch(key); }

  // The cache that a key belongs to. kInvalidArgument: no pattern matches, or a
  // part does not fit its type; the message names the patterns or the part.
  [[nodiscard]] Result<const Keyspace::Member*> route(std::string_view key) const;

  [[nodiscard]] Keyspace& keyspace() { return keyspace_; }
  [[nodiscard]] std::span<const Keyspace::Member> members() const { return table_->members; }
  // Another number after each replacement that it took notice of.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  // What read(look) shows of a key, given to `visitor` and counted as a hit of its
  // cache; false if it shows nothing, or a cache's that has gone.
  template <class Read, class Visitor>
  [[gnu::always_inline]] inline bool counted(Read&& read, Visitor&& visitor) {
    BytesCache* cache = nullptr;
    bool absent = false;
    read([&](std::string_view value, const EntryInfo& info) {
      cache = by_space(info.space);
      if (cache == nullptr) return;
      absent = info.absent;
      visitor(value, info);
    });
    if (cache == nullptr) return false;
    cache->count_hit(absent);
    return true;
  }

  void reload();
  // Null: a cache that is gone.
  [[nodiscard]] BytesCache* by_space(Space space) const {
    return space < table_->by_space.size() ? table_->by_space[space] : nullptr;
  }
  [[nodiscard]] Error no_cache_for(std::string_view key, std::string problem) const;

  Keyspace& keyspace_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const Keyspace::Table> table_;
};

}  // namespace larder
