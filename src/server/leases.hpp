// Who loads a key that a cache without a source does not have, and who waits for it:
// LARDER LEASE, FILL and RELEASE.
//
// A lease is a token for one key until its end. While one is held, others who ask for the key
// wait. What its holder fills they are all given, whether memory keeps it or not. When it is
// given back, its time is over or its client is gone, the first of them gets a new one. When
// the key changes, whatever is filled with the token will be refused, and they all look again:
// there may be a value now, or one of them begins a load that sees the change.
//
// What changes keys is told by the memory tier. Of a key that is leased there is no copy, so
// eviction and expiry tell nothing: whatever is told was stored or dropped by somebody. take()
// and end() are called within the tier's update() of the key, so that no change comes between
// a look at the tier and them. Who drops many copies at once, while others may fill, says so
// before, too: between the drop and its being told, older values could land.
//
// Bounded in bytes, in all and for each client. The waits are their sessions' to bound.
//
// Threads: any. One lock, behind the tier's; a change costs one look while nothing is leased.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "larder/answer.hpp"
#include "larder/clock.hpp"
#include "larder/memory_listener.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"
#include "server/inbox.hpp"

namespace larder {

class Leases final : public MemoryListener<std::string_view> {
 public:
  using Id = std::uint64_t;                          // of a client
  static constexpr std::size_t kShareOfClient = 16;  // no client's leases take more than 1/16

  // Who asks for a key.
  struct Asker {
    Id client;
    Space space;                   // of the key's cache
    std::shared_ptr<Inbox> inbox;  // where the news of a wait goes
    Duration lease;                // for so long it may load
    TimePoint until;               // it waits no longer
    std::uint64_t wait = 0;        // its number, if it was told to look again
  };
  struct Taken {
    enum class Step : std::uint8_t {
      kLoad,       // it is the loader
      kWait,       // news will come, of this number
      kInVain,     // somebody else loads, and it does not wait
      kTooMany,    // all leases together take what they may
      kTooManyOf,  // those of this client do
    };
    Step step;
    std::string token{};
    std::uint64_t wait = 0;
  };
  struct Wait {
    Asker asker;
    std::uint64_t lease;  // that it waits for
  };
  // What a token is good for.
  enum class Standing : std::uint8_t {
    kHeld,
    kChanged,  // the key changed since it was given
    kOver,     // its time is over, it was given back, or it never was
  };
  struct Ended {
    Standing standing;
    std::vector<Wait> waits{};  // of those who are owed an answer()
  };
  struct Counts {
    std::size_t held = 0;
    std::size_t waiting = 0;
    std::size_t bytes = 0;
    std::uint64_t given = 0;
    std::uint64_t filled = 0;
    std::uint64_t changed = 0;   // keys that did so while they were leased
    std::uint64_t returned = 0;  // given back
    std::uint64_t expired = 0;   // their time was over, or their client was gone
    std::uint64_t in_vain = 0;   // waits that brought nothing
    std::uint64_t refused = 0;   // for lack of room
  };
  struct Lease {
    TimePoint given;
    std::size_t waiting;
  };

  explicit Leases(ByteCount most) : most_{most.bytes} {}

  void set_limit(ByteCount most) LARDER_EXCLUDES(mutex_);
  // What sees to it that end_due() is called at that time, instead of at one it was told
  // before. It is called under the lock: it must not call back. Empty: nobody does.
  using Alarm = std::function<void(TimePoint)>;
  void set_alarm(Alarm alarm) LARDER_EXCLUDES(mutex_);

  // ---- Within MemoryTier::update() of the key. ----

  // Makes the asker the key's loader, or lets it wait for who is. REQUIRES: there is no copy.
  [[nodiscard]] Taken take(std::string_view key, const Asker& asker, TimePoint now)
      LARDER_EXCLUDES(mutex_);
  // Its holder has the value: if the lease is held, it is over.
  [[nodiscard]] Ended end(std::string_view key, std::string_view token, TimePoint now)
      LARDER_EXCLUDES(mutex_);

  // ---- Anywhere. ----

  // Gives those the value that end() named.
  static void answer(const std::vector<Wait>& waits, const Handle<std::string>& value);
  // The holder has no value: the next one may try.
  Standing give_back(std::string_view key, std::string_view token, TimePoint now)
      LARDER_EXCLUDES(mutex_);
  // The client is gone, with its leases and its waits.
  void leave(Id id, TimePoint now) LARDER_EXCLUDES(mutex_);
  // Ends the leases and the waits whose time is over.
  void end_due(TimePoint now) LARDER_EXCLUDES(mutex_);
  // Nobody waits any more, nor will.
  void close() LARDER_EXCLUDES(mutex_);

  // ---- What happens. ----

  void changed(std::string_view key) override LARDER_EXCLUDES(mutex_);
  void cleared(std::optional<Space> space) override LARDER_EXCLUDES(mutex_);

  // ---- For people. ----

  [[nodiscard]] std::optional<Lease> find(std::string_view key) const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Counts counts() const LARDER_EXCLUDES(mutex_);

 private:
  using Number = std::uint64_t;  // of a lease or a wait; those who came first have the smaller
  struct Held {
    std::string key;
    std::uint64_t secret;
    Id client;
    Space space;
    TimePoint given;
    TimePoint until;
    bool changed = false;  // nobody waits for it, and it is no longer its key's
    std::set<Number> waits{};
  };
  struct Client {
    std::set<Number> held{};
    std::set<Number> waits{};
    std::size_t bytes = 0;
  };
  using HeldNumbered = std::unordered_map<Number, Held>::iterator;

  [[nodiscard]] static std::string token_of(Number number, std::uint64_t secret);
  [[nodiscard]] HeldNumbered find_held(std::string_view key, std::string_view token)
      LARDER_REQUIRES(mutex_);
  [[nodiscard]] std::optional<Taken::Step> no_room(std::string_view key, Id client)
      LARDER_REQUIRES(mutex_);
  HeldNumbered give(std::string_view key, Id client, Space space, Duration lease, TimePoint now)
      LARDER_REQUIRES(mutex_);
  void drop(HeldNumbered held) LARDER_REQUIRES(mutex_);
  void pass_on(HeldNumbered held, TimePoint now) LARDER_REQUIRES(mutex_);
  void charge(HeldNumbered held) LARDER_REQUIRES(mutex_);
  void credit(HeldNumbered held) LARDER_REQUIRES(mutex_);
  void change(HeldNumbered held) LARDER_REQUIRES(mutex_);
  Number wait(HeldNumbered held, const Asker& asker) LARDER_REQUIRES(mutex_);
  Wait forget(Number number) LARDER_REQUIRES(mutex_);
  void wait_in_vain(Number number) LARDER_REQUIRES(mutex_);
  void forget_if_idle(Id id) LARDER_REQUIRES(mutex_);
  void set_alarm_for_first() LARDER_REQUIRES(mutex_);

  std::atomic<std::size_t> leased_{0};  // keys; written under the lock
  mutable Mutex mutex_;
  std::size_t most_ LARDER_GUARDED_BY(mutex_);
  Alarm alarm_ LARDER_GUARDED_BY(mutex_);
  std::optional<TimePoint> alarm_at_ LARDER_GUARDED_BY(mutex_);
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  Number next_ LARDER_GUARDED_BY(mutex_) = 1;
  std::unordered_map<Number, Held> held_ LARDER_GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Number> by_key_ LARDER_GUARDED_BY(mutex_);  // of held_'s
  std::unordered_map<Number, Wait> waits_ LARDER_GUARDED_BY(mutex_);
  std::unordered_map<Id, Client> clients_ LARDER_GUARDED_BY(mutex_);
  std::set<std::pair<TimePoint, Number>> ends_ LARDER_GUARDED_BY(mutex_);  // of both
  Counts counts_ LARDER_GUARDED_BY(mutex_);
  std::mt19937_64 random_ LARDER_GUARDED_BY(mutex_){std::random_device{}()};
};

}  // namespace larder
