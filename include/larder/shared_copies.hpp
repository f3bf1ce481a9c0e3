// The shared tier: copies that many processes have in common, as a cache sees them.
//
// A cache asks it before its source. It answers with a copy, or gives the cache the right
// to load (the lease), or tells that another process's load has failed; while another loads,
// it waits. A tier that is gone, hangs or is not to be trusted answers at once that the
// cache shall load, and keep nothing in it.
//
// Threads: any thread may call any member. `Take` is called by any, perhaps before read()
// returns; everything else only hands on what is to be done, calls nothing back and waits
// for nothing. What one thread hands on before another asks, is done before that is
// answered: a read that begins after invalidate() has returned is not answered with what
// was invalidated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/vouch.hpp"

namespace larder {

struct SharedCopy {
  std::optional<std::string> bytes{};  // none: the source has no such row
  Duration age{};                      // since its load began
  Duration left{};                     // of its life
  Duration load_cost{};
};

// The right to leave in the shared tier what a load brings. Whoever has one calls exactly
// one of fill(), fail() and release() with it. Empty: nothing is to be left there.
struct SharedLease {
  std::string key{};    // as the tier names it
  std::string token{};  // empty: no lease
  std::uint64_t run = 0;
  std::uint64_t generation = 0;
  bool anew = false;  // who asked for it wants no copy from before

  explicit operator bool() const { return !token.empty(); }
};

// What stands on a key while it is written: nobody leaves a copy of it meanwhile. Whoever was
// given one, taken or not, calls exactly one of finish_write() and leave_write() with it.
struct SharedMark {
  std::string key{};    // as the tier names it
  std::string token{};  // empty: the tier was not asked
  std::uint64_t run = 0;
  std::uint64_t generation = 0;

  // Whether the tier has taken it; if not, it may not have been told.
  explicit operator bool() const { return run != 0; }
};

// What is to be left in the tier. `lifetime` counts from when the truth of it was asked for,
// `cost` ago.
struct SharedFill {
  std::optional<std::string_view> bytes{};  // none: the source has no such row
  Duration lifetime{};
  Duration cost{};
};

struct SharedAnswer {
  enum class Kind : std::uint8_t {
    kCopy,     // `copy`
    kLoad,     // load it; `lease` says whether what comes is to be left in the tier
    kFailure,  // another process has just loaded it in vain: `error`
  };
  Kind kind = Kind::kLoad;
  SharedCopy copy{};
  SharedLease lease{};
  bool written = false;  // kLoad: somebody writes the key, so that what comes is not to be kept
  Error error{};
};

// Who wants to know what other processes invalidate. Called on any thread, perhaps concurrently.
class SharedListener {
 public:
  virtual ~SharedListener() = default;
  // A key, as it was given to SharedCopies.
  virtual void invalidated(std::string_view key) = 0;
  // All of them; also when something may have been missed.
  virtual void cleared() = 0;
};

// One cache's part of a shared tier.
class SharedCopies {
 public:
  struct Key {
    std::string key;
    bool anew = false;  // no copy that is there is good enough
  };
  // Answers by the index of their keys, as they come to be known: called once or more
  // often, perhaps concurrently, until each key has had its answer. What one round trip has
  // told comes together.
  using Answers = std::vector<std::pair<std::size_t, SharedAnswer>>;
  using Take = std::move_only_function<void(Answers) const>;

  virtual ~SharedCopies() = default;

  // One round trip for all that has a copy. REQUIRES: at least one key.
  virtual void read(std::vector<Key> keys, Take take) = 0;

  // `bytes`: none, if the source has no such row. `lifetime` counts from when the load
  // began, `cost` ago. Of a lease that was asked for anew the others' memory is told, where the
  // tier can: their next read finds this.
  virtual void fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
                    Duration cost) = 0;
  // The load has failed; those who wait elsewhere are told.
  virtual void fail(SharedLease lease, const Error& error) = 0;
  // Nothing came of the load; another may have the lease.
  virtual void release(SharedLease lease) = 0;

  // The keys (at least one) are about to be written, for at most `life`: until each is
  // finished, or so long, no load of theirs is left in the tier, and what there is of them is
  // gone from every process's memory. `marked` gets their marks, in their order, when all are
  // taken or it is known which are not: called once, as Take is. A tier that is gone takes none.
  using Marked = std::move_only_function<void(std::vector<SharedMark>)>;
  virtual void begin_write(std::vector<std::string> keys, Duration life, Marked marked) = 0;
  // The write has ended, and what it did is known. `kept` stays there, unless somebody else
  // wrote the key beside it or invalidated it; none: nothing does. Every process's memory is
  // told. As after invalidate(), no later read is answered with what was before; a mark that
  // was not taken, or was lost, is an invalidation.
  virtual void finish_write(SharedMark mark, const std::optional<SharedFill>& kept) = 0;
  // The write has ended, and may yet be done for so long as `life`: until then nothing is kept.
  virtual void leave_write(SharedMark mark, Duration life) = 0;

  // The copy is unusable for all from now on, and what is on its way for it is refused.
  // A tier that cannot be told is not asked any more until it was.
  virtual void invalidate(std::string_view key) = 0;
  // The same for every key of this cache.
  virtual void clear() = 0;

  // Calls `told`, once, when the tier has confirmed what was handed on here by invalidate(),
  // clear(), finish_write() and leave_write() before, or it is known that it has not: what it
  // has not it is told later, by this process. At once where nothing is on its way.
  using Told = std::move_only_function<void()>;
  virtual void once_told(Told told) { told(); }

  // From now on it is told what others invalidate, as far as the tier can tell.
  virtual void listen(std::weak_ptr<SharedListener> listener) = 0;

  // Until when what memory holds may be believed, as far as listeners are told everything; null:
  // they never are, and what memory keeps is bounded by its own time alone. Always the same.
  [[nodiscard]] virtual std::shared_ptr<Vouch> vouch() const { return nullptr; }
};

}  // namespace larder
