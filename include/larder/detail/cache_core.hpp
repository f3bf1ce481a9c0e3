// The heart of a cache: strategy and flights over a memory tier, perhaps a shared tier,
// and a source.
//
// Everything that Cache offers is here, in terms of callbacks; Cache adds
// blocking and Asio. No thread and no clock of its own: it runs on its callers'
// threads, on those that sources and timers call back on, and asks the Clock.
//
// The one invariant: a fill and an invalidation of a key, and the flight's
// landing and dooming that go with them, are one step under the key's shard
// lock. So a value whose load began before an invalidation is never kept, and a
// reader who found nothing in memory, looking again under the lock, either sees
// what was filled or boards a flight that will tell it.
//
// A hit takes no lock of this class.
//
// Lock order: shard, then whatever the tiers lock. Nobody is answered and no
// source is asked under a lock.
//
// A key that is being written is marked, in the same step as its flights are doomed and its
// copy is erased; until the writer has ended, nothing that is loaded for it is kept. In a
// shared tier it is marked as well, before the writer is asked.
//
// The ways of a load and of a write, concerns of their own, are in cache_load.hpp (to the
// source), cache_shared.hpp (to the shared tier) and cache_write.hpp (to the writer):
// include the last.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "larder/answer.hpp"
#include "larder/cache_options.hpp"
#include "larder/cache_stats.hpp"
#include "larder/closable.hpp"
#include "larder/counter.hpp"
#include "larder/detail/cache_parts.hpp"
#include "larder/detail/flights.hpp"
#include "larder/detail/owed.hpp"
#include "larder/detail/write_marks.hpp"
#include "larder/freshness.hpp"
#include "larder/load_gate.hpp"
#include "larder/memory_tier.hpp"
#include "larder/put_outcome.hpp"
#include "larder/shared_copies.hpp"
#include "larder/source.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "larder/vouch.hpp"
#include "larder/writer.hpp"

namespace larder::detail {

template <class Key, class Value>
class CacheCore : public Closable,
                  public SharedListener,
                  public std::enable_shared_from_this<CacheCore<Key, Value>> {
 public:
  using Tier = MemoryTier<Key, Value>;
  using KeyView = typename Tier::KeyView;
  using ValueView = typename Tier::ValueView;
  using AnswerType = Answer<Value>;
  // Gets the answer for the index-th key; once a key. Called on any thread, for
  // different keys concurrently, and for what is known at once before fetch() returns.
  using Each = typename Owed<AnswerType>::Each;

  explicit CacheCore(CacheParts<Key, Value> parts)
      : parts_{std::move(parts)},
        vouch_{parts_.shared ? parts_.shared.copies->vouch() : nullptr},
        freshness_{parts_.freshness},
        random_{parts_.seed} {
    const bool writes = writes_to_source(parts_.strategy);
    if (parts_.strategy != Strategy::kCacheAside && !parts_.source) {
      throw std::invalid_argument{"strategy " + std::string{to_string(parts_.strategy)} +
                                  " needs a source"};
    }
    if (writes != (parts_.writer != nullptr)) {
      throw std::invalid_argument{
          writes ? "strategy " + std::string{to_string(parts_.strategy)} + " needs a writer"
                 : "a writer needs the strategy write-through or write-behind"};
    }
    if (writes && parts_.unknown_write <= Duration::zero()) {
      throw std::invalid_argument{"unknown_write must be longer than 0"};
    }
    if (parts_.shared && parts_.strategy != Strategy::kReadThrough &&
        parts_.strategy != Strategy::kWriteThrough) {
      throw std::invalid_argument{"a shared tier needs the strategy read-through or write-through"};
    }
    if (parts_.memory_ttl && *parts_.memory_ttl < Duration::zero()) {
      throw std::invalid_argument{"memory_ttl must not be negative; 0 keeps nothing in memory"};
    }
  }

  // One fetch on its way: who asked, and which keys are still owed.
  class Call;
  using CallPtr = std::shared_ptr<Call>;

  // Gets the outcome of the index-th write: an error, or whether it changed anything, which
  // only a removal may not. As Each in all else.
  using Outcome = Result<bool>;
  using WriteCall = Owed<Outcome>;
  using WriteCallPtr = std::shared_ptr<WriteCall>;
  using EachOutcome = typename WriteCall::Each;

  // The answer from memory, if there is one. Counts a hit, not a miss.
  [[nodiscard]] std::optional<AnswerType> lookup(KeyView key) {
    std::optional<AnswerType> answer;
    visit(key, [&](ValueView value, const EntryInfo& info) {
      answer = from_memory(value, info, now());
    });
    return answer;
  }

  // The same, uncounted and without making the entry any hotter.
  [[nodiscard]] AnswerType peek(KeyView key) const {
    AnswerType answer;
    const TimePoint at = vouched_now();
    parts_.tier->inspect(key, at, [&](ValueView value, const EntryInfo& info) {
      answer = from_memory(value, info, at);
    });
    return answer;
  }

  template <class Visitor>
  bool visit(KeyView key, Visitor&& visitor) {
    bool negative = false;
    const bool hit =
        parts_.tier->visit(key, vouched_now(), [&](ValueView value, const EntryInfo& info) {
          negative = info.absent;
          visitor(value, info);
        });
    if (hit) count_hit(negative);
    return hit;
  }

  template <class Visitor>
  bool inspect(KeyView key, Visitor&& visitor) const {
    return parts_.tier->inspect(key, vouched_now(), std::forward<Visitor>(visitor));
  }

  void count_hit(bool negative) {
    hits_.add();
    if (negative) negative_hits_.add();
  }
  void count_miss() { misses_.add(); }

  // Reads `keys`: two steps, so that a caller can arrange for abandon() between them.
  [[nodiscard]] static CallPtr call(std::size_t count, Each each) {
    return std::make_shared<Call>(count, std::move(each));
  }
  // REQUIRES: `call` was made for keys.size() keys and not fetched before.
  void fetch(const CallPtr& call, std::span<const Key> keys, ReadOptions options);

  // Gives up what the call is still owed: those keys get `why`. The loads go on.
  void abandon(const CallPtr& call, const Error& why);

  // Writes as the strategy does; cache_write.hpp. The calls are answered once each.
  void write(const WriteCallPtr& call, std::vector<Write<Key, Value>> writes, WriteOptions options);
  // Whether write() may wait for anything; if not, it answers before it returns.
  [[nodiscard]] bool write_waits() const { return parts_.writer != nullptr; }

  // Keeps `value` in memory. REQUIRES: cache-aside.
  Result<void> put(KeyView key, Value value, WriteOptions options) {
    if (!is_ttl(options.ttl)) return std::unexpected{bad_ttl()};
    const EntryInfo info = entry_for_put(now(), options);
    PutOutcome outcome{};
    {
      Shard& shard = shard_of(key);
      const MutexLock lock{shard.mutex};
      shard.flights.doom(key);
      outcome = store(key, hold(std::move(value)), info);
    }
    puts_.add();
    if (outcome == PutOutcome::kStored) return {};
    return fail(Errc::kOverloaded, "cache \"" + parts_.name + "\": " +
                                       why_not_stored(outcome, parts_.tier->largest_entry()));
  }

  // Atomically changes the copy in memory; see MemoryTier::update. What changes the
  // key's value dooms what is on its way for it, which may be older. What keeps the
  // value, changes its times alone or is refused leaves the load be.
  template <class Decide>
  auto update(KeyView key, TimePoint now, Decide&& decide) {
    if (!parts_.source) return parts_.tier->update(key, now, std::forward<Decide>(decide));
    Shard& shard = shard_of(key);
    const MutexLock lock{shard.mutex};
    bool changes = false;
    bool changes_if_stored = false;
    const auto outcome = parts_.tier->update(key, now, [&](const auto* value, const auto* info) {
      typename Tier::Update update = decide(value, info);
      changes = update.erases();
      changes_if_stored = update.stores();
      return update;
    });
    if (outcome.put == PutOutcome::kStored) changes = changes || changes_if_stored;
    if (changes) {
      invalidate_shared(key);
      shard.flights.doom(key);
      shard.marks.contend(key);
    }
    return outcome;
  }

  bool invalidate(KeyView key) {
    invalidations_.add();
    Shard& shard = shard_of(key);
    const MutexLock lock{shard.mutex};
    invalidate_shared(key);
    shard.flights.doom(key);
    shard.marks.contend(key);
    return parts_.tier->erase(key, now());
  }

  // A flight that starts while this runs may already see the source as it is
  // now; whether its fill survives or not, it is true.
  void clear() {
    if (parts_.shared) parts_.shared.copies->clear();
    cleared();
  }

  [[nodiscard]] bool shares() const { return bool{parts_.shared}; }
  void once_told(SharedCopies::Told told) {
    if (!parts_.shared) return told();
    parts_.shared.copies->once_told(std::move(told));
  }

  // What another process invalidated is dropped here; the shared tier knows already.
  void invalidated(std::string_view text) override {
    if constexpr (std::same_as<Key, std::string>) {
      drop(text);
    } else {
      const auto key = parts_.shared.parse_key ? parts_.shared.parse_key(text) : std::nullopt;
      if (!key) return cleared();
      drop(*key);
    }
  }
  void cleared() override {
    for (Shard& shard : shards_) {
      const MutexLock lock{shard.mutex};
      shard.flights.doom_all();
      shard.marks.contend_all();
    }
    parts_.tier->clear(parts_.space);
  }

  // From now on loads answer their readers and fill nothing, and what writes change is
  // invalid in `heir` too. What memory holds stays.
  void retire(std::shared_ptr<CacheCore> heir = nullptr) LARDER_EXCLUDES(under_way_mutex_) {
    {
      const MutexLock lock{under_way_mutex_};
      heir_ = heir;
    }
    for (Shard& shard : shards_) {
      const MutexLock lock{shard.mutex};
      shard.flights.retire();
    }
  }

  // Whoever waits for a load gets kCancelled, now and from now on. What memory has
  // is still answered, and may be changed.
  void close() override LARDER_EXCLUDES(under_way_mutex_);

  // What put() would store at `now` beside the value. REQUIRES: is_ttl(options.ttl).
  [[nodiscard]] EntryInfo entry_for_put(TimePoint now, WriteOptions options) {
    EntryInfo info = freshness_.value(now, options.ttl, random());
    info.space = parts_.space;
    return info;
  }

  [[nodiscard]] std::optional<LoadOnWay> loading(KeyView key) {
    Shard& shard = shard_of(key);
    const MutexLock lock{shard.mutex};
    return shard.flights.find(key);
  }

  // What a call may ask for.
  [[nodiscard]] static bool is_ttl(std::optional<Duration> ttl) {
    return !ttl || *ttl > Duration::zero();
  }

  [[nodiscard]] TimePoint now() const { return parts_.clock->now(); }
  [[nodiscard]] CacheStats stats() const;
  [[nodiscard]] const CacheParts<Key, Value>& parts() const { return parts_; }
  // Of its copies in memory; null: nobody vouches for them.
  [[nodiscard]] const std::shared_ptr<Vouch>& vouch() const { return vouch_; }

 private:
  // Names one key of one call.
  struct Waiter {
    CallPtr call;
    std::size_t index;
  };
  using Hash = typename Tier::Hash;
  using Equal = typename Tier::Equal;
  using Table = Flights<Key, Waiter, Hash, Equal>;
  using FlightPtr = typename Table::FlightPtr;

  struct Shard {
    Mutex mutex;
    Table flights LARDER_GUARDED_BY(mutex);
    WriteMarks<Key, Hash, Equal> marks LARDER_GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShards = 64;

  // What the end of the runtime calls off.
  class UnderWay {
   public:
    virtual ~UnderWay() = default;
    virtual void call_off(const Error& why) = 0;
  };
  class Load;
  class Writing;
  class Asked;
  using LoadPtr = std::shared_ptr<Load>;
  using WritingPtr = std::shared_ptr<Writing>;

  // The time, at which what memory holds may be served.
  [[nodiscard]] TimePoint vouched_now() const {
    const TimePoint at = now();
    if (vouch_ && !vouch_->holds(at)) [[unlikely]]
      vouch_->lapse(at);
    return at;
  }

  Shard& shard_of(KeyView key) {
    // The high bits: the maps inside the shards use the low ones.
    return shards_[static_cast<std::uint64_t>(Hash{}(key)) * 0x9E3779B97F4A7C15ULL >> 58];
  }
  static_assert(kShards == 1 << (64 - 58));

  // Uniform in [0, 1). SplitMix64 over a shared counter: any thread, no lock.
  [[nodiscard]] double random() {
    std::uint64_t z = random_.fetch_add(0x9E3779B97F4A7C15ULL, std::memory_order_relaxed);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

  static Handle<Value> hold(Value value) { return std::make_shared<const Value>(std::move(value)); }

  PutOutcome store(KeyView key, const Handle<Value>& value, const EntryInfo& info) {
    return parts_.tier->put(key, view_of(value), info, now());
  }
  static ValueView view_of(const Handle<Value>& value) {
    if constexpr (std::same_as<Value, std::string>) {
      return value ? std::string_view{*value} : std::string_view{};
    } else {
      return value;
    }
  }

  static AnswerType from_memory(ValueView value, const EntryInfo& info, TimePoint now) {
    const Duration age = now - info.filled_at;
    if (info.absent) return AnswerType{Origin::kMemory, age};
    if constexpr (std::same_as<Value, std::string>) {
      return AnswerType{hold(std::string{value}), Origin::kMemory, age};
    } else {
      return AnswerType{value, Origin::kMemory, age};
    }
  }

  void drop(KeyView key) {
    Shard& shard = shard_of(key);
    const MutexLock lock{shard.mutex};
    shard.flights.doom(key);
    shard.marks.contend(key);
    parts_.tier->erase(key, now());
  }

  FlightPtr board(const CallPtr& call, std::size_t index, const Key& key, ReadOptions options);
  void start(std::vector<FlightPtr> flights);

  // The shared tier; cache_shared.hpp.
  void ask_shared(std::vector<FlightPtr> flights);
  void take_shared(const std::vector<FlightPtr>& flights, SharedCopies::Answers answers);
  [[nodiscard]] bool land_copy(const FlightPtr& flight, SharedCopy copy);
  void settle(const FlightPtr& flight, SharedLease lease, bool may_fill,
              const Loaded<Value>& result, const Handle<Value>& value,
              const std::optional<EntryInfo>& life);
  void leave_nothing(const FlightPtr& flight, SharedLease lease);
  [[nodiscard]] Duration longest_write() const;
  void mark_shared(const WritingPtr& writing);
  void marked_shared(const WritingPtr& writing, std::vector<SharedMark> marks);
  void finish_shared(SharedMark mark, const Handle<Value>& value,
                     const std::optional<EntryInfo>& life);
  void invalidate_shared(KeyView key) {
    if (parts_.shared) parts_.shared.copies->invalidate(parts_.shared.key(key));
  }

  // The source; cache_load.hpp.
  void load(std::vector<FlightPtr> flights);
  [[nodiscard]] bool remember(const std::shared_ptr<UnderWay>& work)
      LARDER_EXCLUDES(under_way_mutex_);
  [[nodiscard]] Error closed() const;
  [[nodiscard]] Error too_late(bool began) const;
  [[nodiscard]] Error threw(const char* what) const;
  [[nodiscard]] Error bad_ttl() const;
  void forget(const UnderWay& work) LARDER_EXCLUDES(under_way_mutex_);
  void take_off(const LoadPtr& load, LoadGate::Permit permit);
  void go_on(std::vector<FlightPtr> flights, LoadGate::Permit permit);
  void ask(const LoadPtr& load, std::vector<Key> keys);
  void land(const FlightPtr& flight, Loaded<Value> result, Duration cost);
  void answer(const typename Table::Landing& landing, const AnswerType& answer);
  [[nodiscard]] std::optional<EntryInfo> life_of(TimePoint began, std::optional<Duration> ttl,
                                                 bool absent, Duration cost);
  void fill(KeyView key, const Handle<Value>& value, TimePoint began,
            std::optional<EntryInfo> life);

  // The writer; cache_write.hpp.
  void write_aside(const WriteCallPtr& call, std::vector<Write<Key, Value>> writes,
                   WriteOptions options);
  [[nodiscard]] std::optional<Error> why_not(const Write<Key, Value>& write,
                                             WriteOptions options) const;
  void write_through(const WritingPtr& writing);
  void take_off(const WritingPtr& writing, LoadGate::Permit permit);
  void submit(const WritingPtr& writing);
  void mark(const Key& key);
  void finish(const Key& key, Result<Stored<Value>>& result, TimePoint asked,
              std::optional<Duration> ttl, std::optional<SharedMark> mark);
  void finish_for_heir(const Key& key) LARDER_EXCLUDES(under_way_mutex_);
  [[nodiscard]] Error write_too_late(bool began) const;
  void count(const Result<Stored<Value>>& result);

  const CacheParts<Key, Value> parts_;
  const std::shared_ptr<Vouch> vouch_;
  const Freshness freshness_;
  std::atomic<std::uint64_t> random_;
  std::array<Shard, kShards> shards_;

  // Those that have not ended, for close().
  Mutex under_way_mutex_;
  std::unordered_map<const UnderWay*, std::weak_ptr<UnderWay>> under_way_
      LARDER_GUARDED_BY(under_way_mutex_);
  bool closed_ LARDER_GUARDED_BY(under_way_mutex_) = false;
  std::weak_ptr<CacheCore> heir_ LARDER_GUARDED_BY(under_way_mutex_);  // of one that is retired

  StripedCounter hits_;
  StripedCounter negative_hits_;
  StripedCounter misses_;
  StripedCounter puts_;
  StripedCounter invalidations_;
  std::atomic<std::uint64_t> shared_hits_{0};
  std::atomic<std::uint64_t> loads_{0};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> load_failures_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> discarded_{0};
  std::atomic<Duration::rep> load_time_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> writes_rejected_{0};
  std::atomic<std::uint64_t> writes_failed_{0};
  std::atomic<std::uint64_t> writes_unknown_{0};
  std::atomic<Duration::rep> write_time_{0};
};

template <class Key, class Value>
class CacheCore<Key, Value>::Call : public Owed<AnswerType, FlightPtr> {
 public:
  using Owed<AnswerType, FlightPtr>::Owed;

  // The flight that the key boarded; written by fetch() before others see the call.
  FlightPtr& flight(std::size_t index) { return this->extra(index); }
};

// Answers what memory has, boards a flight for the rest, and takes the flights
// that are new to the source, together.
template <class Key, class Value>
void CacheCore<Key, Value>::fetch(const CallPtr& call, std::span<const Key> keys,
                                  ReadOptions options) {
  if (!is_ttl(options.ttl)) {
    for (std::size_t i = 0; i < keys.size(); ++i) call->answer(i, {bad_ttl(), Origin::kNone});
    return;
  }
  std::vector<FlightPtr> starting;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!options.force) {
      if (auto hit = lookup(keys[i])) {
        call->answer(i, std::move(*hit));
        continue;
      }
    }
    misses_.add();
    if (parts_.strategy == Strategy::kCacheAside) {
      call->answer(i, AnswerType{});
    } else if (FlightPtr flight = board(call, i, keys[i], options)) {
      starting.push_back(std::move(flight));
    }
  }
  if (options.timeout && !call->complete()) {
    call->set_timer(parts_.timers->after(
        *options.timeout, [weak = std::weak_ptr{call}, core = this->weak_from_this()] {
          const auto late = weak.lock();
          const auto self = core.lock();
          if (!late || !self) return;
          self->abandon(late, Error{Errc::kTimeout, "cache \"" + self->parts_.name +
                                                        "\": no answer within the call's timeout; "
                                                        "the load goes on"});
        }));
  }
  if (!starting.empty()) start(std::move(starting));
}

// Looks once more under the lock, since a fill may have landed after the first
// look; then boards. Returns the flight if the caller is to start it.
template <class Key, class Value>
auto CacheCore<Key, Value>::board(const CallPtr& call, std::size_t index, const Key& key,
                                  ReadOptions options) -> FlightPtr {
  std::optional<AnswerType> filled;
  typename Table::Boarding boarding;
  {
    Shard& shard = shard_of(key);
    const MutexLock lock{shard.mutex};
    if (!options.force) {
      const TimePoint at = now();
      parts_.tier->visit(key, at, [&](ValueView value, const EntryInfo& info) {
        filled = from_memory(value, info, at);
      });
    }
    if (!filled) {
      boarding = shard.flights.board(key, Waiter{call, index}, options.force, options.ttl);
      call->flight(index) = boarding.flight;
    }
  }
  if (filled) call->answer(index, std::move(*filled));
  return boarding.start ? std::move(boarding.flight) : nullptr;
}

template <class Key, class Value>
void CacheCore<Key, Value>::start(std::vector<FlightPtr> flights) {
  if (parts_.shared) {
    ask_shared(std::move(flights));
  } else {
    load(std::move(flights));
  }
}

template <class Key, class Value>
void CacheCore<Key, Value>::abandon(const CallPtr& call, const Error& why) {
  for (std::size_t i = 0; i < call->size(); ++i) {
    const FlightPtr& flight = call->flight(i);
    if (call->answered(i) || !flight) continue;
    {
      Shard& shard = shard_of(flight->key());
      const MutexLock lock{shard.mutex};
      shard.flights.abandon(
          flight, [&](const Waiter& waiter) { return waiter.call == call && waiter.index == i; });
    }
    call->answer(i, AnswerType{why, Origin::kNone});
  }
}

template <class Key, class Value>
Error CacheCore<Key, Value>::bad_ttl() const {
  return {Errc::kInvalidArgument, "cache \"" + parts_.name +
                                      "\": a call's ttl must be longer than 0; to drop a key, "
                                      "invalidate it"};
}

template <class Key, class Value>
CacheStats CacheCore<Key, Value>::stats() const {
  const MemoryStats memory = parts_.tier->stats(parts_.space);
  return {
      .hits = hits_.value(),
      .negative_hits = negative_hits_.value(),
      .misses = misses_.value(),
      .puts = puts_.value(),
      .invalidations = invalidations_.value(),
      .shared_hits = shared_hits_.load(std::memory_order_relaxed),
      .loads = loads_.load(std::memory_order_relaxed),
      .batches = batches_.load(std::memory_order_relaxed),
      .load_failures = load_failures_.load(std::memory_order_relaxed),
      .refused = refused_.load(std::memory_order_relaxed),
      .discarded = discarded_.load(std::memory_order_relaxed),
      .load_time = Duration{load_time_.load(std::memory_order_relaxed)},
      .writes = writes_.load(std::memory_order_relaxed),
      .writes_rejected = writes_rejected_.load(std::memory_order_relaxed),
      .writes_failed = writes_failed_.load(std::memory_order_relaxed),
      .writes_unknown = writes_unknown_.load(std::memory_order_relaxed),
      .write_time = Duration{write_time_.load(std::memory_order_relaxed)},
      .entries = memory.entries,
      .absences = memory.absences,
      .bytes = memory.bytes,
      .evictions = memory.evictions,
      .expirations = memory.expirations,
      .too_large = memory.too_large,
      .no_memory = memory.no_memory,
  };
}

}  // namespace larder::detail
