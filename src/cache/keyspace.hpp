// The keys of one server: several caches of bytes over one memory tier, each
// cache with the keys that fit its pattern.
//
// A hit is one lookup by the whole key: the entry itself says which cache it
// belongs to. Only what is not in memory, and every write, is routed by pattern.
//
// Doors talk to a Keyspace through a KeyspaceView, one a thread: the table of
// caches may then be replaced while the server runs, and no reader pays for it.
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

  // Throws std::invalid_argument when a cache's options cannot work.
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

 private:
  friend class KeyspaceView;

  const Clock& clock_;
  const std::shared_ptr<BytesTier> tier_;
  const std::shared_ptr<ExpiryTimer<BytesTier>> expiry_;
  mutable Mutex mutex_;
  // Never changed, only replaced; `version_` counts the replacements.
  std::shared_ptr<const std::vector<Member>> members_ LARDER_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> version_{1};
};

// One thread's sight of a Keyspace. Caches that it hands out live at least until
// its next refresh().
//
// Threads: confined to one. The Keyspace must outlive it.
class KeyspaceView {
 public:
  explicit KeyspaceView(Keyspace& keyspace);

  // Takes notice of caches that came, went or changed. Cheap when none did: one
  // read of a line that nobody writes. Call it before each batch of work.
  void refresh() {
    if (keyspace_.version_.load(std::memory_order_acquire) != version_) reload();
  }

  // Calls visitor(std::string_view value, const EntryInfo&) if memory has the
  // key, and counts the hit. No lock beyond the tier's, no allocation. Guarded
  // by bench/server.
  template <class Visitor>
  bool visit(std::string_view key, TimePoint now, Visitor&& visitor) {
    Space space = 0;
    bool absent = false;
    const bool hit =
        keyspace_.tier_->visit(key, now, [&](std::string_view value, const EntryInfo& info) {
          space = info.space;
          absent = info.absent;
          visitor(value, info);
        });
    if (hit) by_space(space).count_hit(absent);
    return hit;
  }

  // The same, uncounted and without making the entry any hotter.
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
  [[nodiscard]] std::span<const Keyspace::Member> members() const { return *members_; }

 private:
  void reload();
  [[nodiscard]] BytesCache& by_space(Space space) { return *(*members_)[space].cache; }
  [[nodiscard]] Error no_cache_for(std::string_view key, std::string problem) const;

  Keyspace& keyspace_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const std::vector<Keyspace::Member>> members_;
};

}  // namespace larder
