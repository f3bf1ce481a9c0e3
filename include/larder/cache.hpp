// Cache: the front door of the library.
//
//   larder::Runtime runtime;
//   larder::Cache<std::int64_t, Product> products{runtime, {
//       .name = "product",
//       .source = [&](std::int64_t id) { return database.find_product(id); },
//       .memory = {.capacity = 64_MiB},
//       .ttl = 5min,
//   }};
//
//   if (auto product = products.get(42)) show(product->name);
//
// Key: copyable, with == and a hash: a string, a number, an enum, a struct described
// with BOOST_DESCRIBE_STRUCT, or a type with std::hash or Boost's hash_value. Value:
// movable; it is kept as it is, and is neither copied nor encoded on a hit.
//
// Threads: every member may be called by any thread at any time, but for the
// constructor and destructor. The blocking calls (get, get_many, refresh, and with a
// writer put, put_many, remove) may wait for the source and must not be made on the
// runtime's I/O threads, where they answer an error instead of waiting for ever; on an
// I/O thread use the async_ calls.
//
// Lifetime: destroying the cache does not wait: loads under way end, their callers
// are answered, and nothing is kept. So what a source refers to must outlive the
// runtime, not only the cache. When the runtime stops, whoever waits for a load
// gets kCancelled; a cache that outlives its runtime goes on answering from memory,
// and kCancelled where it would have to load. Handlers without an executor of their
// own then run on the system's. Only a call that is made in the same instant as the
// runtime stops may have its handler destroyed uncalled.
//
// A loading or writing function runs on one of the runtime's blocking threads. It may read
// another cache, with a blocking call too: while it waits, another thread takes
// its place, up to RuntimeOptions::waiting_threads, beyond which such a call fails
// with kOverloaded. A load that waits for itself, by whatever way, ends with its
// timeout.
//
// Asynchronous calls take an Asio completion token (use_awaitable, use_future, a
// callback, …; the default is `deferred`, so that `co_await cache.async_get(k)`
// works in any coroutine that awaits deferred operations). Steps: look in
// memory; board or start the key's flight; complete when it lands. Completion
// signature: void(Answer<Value>) unless stated otherwise. The handler runs on its
// associated executor, else on one of the runtime's, never inside the call.
// Every kind of cancellation ends this call with Errc::kCancelled and leaves the
// load to the others; a write goes on.
//
// Writing, with a writer (write-through): the key is marked, its copy is gone, and while the
// writer is at work readers ask the source and nothing is kept. Then what the writer says
// that the source holds is kept, unless somebody else wrote or invalidated the key
// meanwhile, and the call is answered: a read that starts later in this process never sees
// what was there before. If the writer fails, nothing is kept, and the caller gets its
// error; if nobody knows what became of the write (kOutcomeUnknown), nothing is kept of the
// key for CacheOptions::unknown_write. Two writes of one key are not put in order here.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "larder/answer.hpp"
#include "larder/cache_options.hpp"
#include "larder/cache_stats.hpp"
#include "larder/detail/cache_write.hpp"
#include "larder/detail/collect.hpp"
#include "larder/detail/initiate.hpp"
#include "larder/load_on_way.hpp"
#include "larder/runtime.hpp"

namespace larder {

template <class Key, class Value>
class Cache {
  using Core = detail::CacheCore<Key, Value>;

 public:
  using KeyView = typename Core::KeyView;      // std::string_view for std::string, else const Key&
  using ValueView = typename Core::ValueView;  // likewise; else const Handle<Value>&
  using Each = typename Core::Each;
  using Writes = std::vector<Write<Key, Value>>;
  using EachOutcome = typename Core::EachOutcome;

  // Throws std::invalid_argument for options that cannot work, with the cache's name and why.
  Cache(Runtime& runtime, CacheOptions<Key, Value> options)
      : runtime_{runtime.handle()}, core_{assemble(runtime, std::move(options))} {
    runtime.close_at_stop(core_);
  }

  // ---- Reading. ----

  // The value of `key`: from memory, or (read-through) from the source, with one
  // load however many ask at the same time. Absent: the source has no such row,
  // or (cache-aside) there is no copy. Errors: kTimeout, kOverloaded, kSourceFailed,
  // kCancelled (the runtime stops), kInvalidArgument (a ttl of 0 or less); they are
  // never cached.
  Answer<Value> get(KeyView key, ReadOptions options = {}) {
    if (!options.force && Core::is_ttl(options.ttl)) {
      if (auto hit = core_->lookup(key)) return std::move(*hit);
    }
    const Key owned{key};  // NOLINT(performance-unnecessary-copy-initialization): of a view
    return std::move(wait_for(std::span{&owned, 1}, options).front());
  }

  // The same for many keys; answers[i] belongs to keys[i]. All that is missing
  // goes to the source as one load, as far as it takes many keys at once.
  std::vector<Answer<Value>> get_many(std::span<const Key> keys, ReadOptions options = {}) {
    return wait_for(keys, options);
  }

  // What memory holds, without asking anybody, and without counting as a use.
  Answer<Value> peek(KeyView key) const { return core_->peek(key); }

  // Loads `key` anew and keeps what comes; other readers are served the copy at
  // hand meanwhile. Read-through only: without a source it answers as get does.
  Answer<Value> refresh(KeyView key, ReadOptions options = {}) {
    options.force = true;
    return get(key, options);
  }

  template <class Token = boost::asio::deferred_t>
  auto async_get(Key key, ReadOptions options, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(Answer<Value>)>(
        typename Initiate::Get{core_, runtime_}, token, std::move(key), options);
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, ReadOptions>)
  auto async_get(Key key, Token&& token = {}) {
    return async_get(std::move(key), ReadOptions{}, std::forward<Token>(token));
  }

  // Completion signature: void(std::vector<Answer<Value>>), in the order of the keys.
  template <class Token = boost::asio::deferred_t>
  auto async_get_many(std::vector<Key> keys, ReadOptions options, Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(std::vector<Answer<Value>>)>(
        typename Initiate::GetMany{core_, runtime_}, token, std::move(keys), options);
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, ReadOptions>)
  auto async_get_many(std::vector<Key> keys, Token&& token = {}) {
    return async_get_many(std::move(keys), ReadOptions{}, std::forward<Token>(token));
  }

  template <class Token = boost::asio::deferred_t>
  auto async_refresh(Key key, ReadOptions options, Token&& token = {}) {
    options.force = true;
    return async_get(std::move(key), options, std::forward<Token>(token));
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, ReadOptions>)
  auto async_refresh(Key key, Token&& token = {}) {
    return async_refresh(std::move(key), ReadOptions{}, std::forward<Token>(token));
  }

  template <class Token = boost::asio::deferred_t>
  auto async_peek(Key key, Token&& token = {}) {
    return at_once<Answer<Value>>([key = std::move(key)](Core& core) { return core.peek(key); },
                                  std::forward<Token>(token));
  }

  // ---- Writing. ----

  // Write-through: writes `value` to the source, and keeps what that holds then.
  // Cache-aside: keeps `value`. For the cache's ttl or the call's. Errors: kRefused by a
  // strategy that takes no put; kInvalidArgument for a ttl of 0 or less, or a value that the
  // writer cannot take; kOverloaded if a limit is reached, in cache-aside if the value does
  // not fit into the tier; and from the source kRejected, kConflict, kSourceFailed (nothing
  // was written), kOutcomeUnknown (it may have been), kTimeout (of this call; it goes on).
  Result<void> put(KeyView key, Value value, WriteOptions options = {}) {
    Writes writes;
    writes.push_back({Key{key}, std::move(value)});
    return detail::done(write_and_wait(std::move(writes), options).front());
  }

  // The same for many; each entry for itself: one that fails undoes no other. Of one key in
  // their order. The writer gets as many at once as it takes.
  std::vector<Result<void>> put_many(std::vector<std::pair<Key, Value>> entries,
                                     WriteOptions options = {}) {
    return detail::done(write_and_wait(writes_of(std::move(entries)), options));
  }

  // Write-through: removes the row from the source; whether there was one. Cache-aside: as
  // invalidate(). Errors as of put(); kRefused when the writer takes no removals.
  Result<bool> remove(KeyView key, WriteOptions options = {}) {
    Writes writes;
    writes.push_back({Key{key}, std::nullopt});
    return std::move(write_and_wait(std::move(writes), options).front());
  }

  // The copy of `key` is unusable from now on: a read that starts later loads
  // anew, and a load already on its way fills nothing. Whether there was a copy. The
  // shared tier is told, and has it before any later read of this process; should the process
  // be killed first, others may not hear of it: async_invalidate() completes when that is over.
  bool invalidate(KeyView key) { return core_->invalidate(key); }

  // The same for every key of this cache.
  void clear() { core_->clear(); }

  // Completion signature: void(Result<void>).
  template <class Token = boost::asio::deferred_t>
  auto async_put(Key key, Value value, WriteOptions options, Token&& token = {}) {
    Writes writes;
    writes.push_back({std::move(key), std::move(value)});
    return boost::asio::async_initiate<Token, void(Result<void>)>(
        typename Initiate::template WriteAll<Result<void>>{core_, runtime_}, token,
        std::move(writes), options);
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, WriteOptions>)
  auto async_put(Key key, Value value, Token&& token = {}) {
    return async_put(std::move(key), std::move(value), WriteOptions{}, std::forward<Token>(token));
  }

  // Completion signature: void(std::vector<Result<void>>), in the order of the entries.
  template <class Token = boost::asio::deferred_t>
  auto async_put_many(std::vector<std::pair<Key, Value>> entries, WriteOptions options,
                      Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(std::vector<Result<void>>)>(
        typename Initiate::template WriteAll<std::vector<Result<void>>>{core_, runtime_}, token,
        writes_of(std::move(entries)), options);
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, WriteOptions>)
  auto async_put_many(std::vector<std::pair<Key, Value>> entries, Token&& token = {}) {
    return async_put_many(std::move(entries), WriteOptions{}, std::forward<Token>(token));
  }

  // Completion signature: void(Result<bool>): whether there was such a row.
  template <class Token = boost::asio::deferred_t>
  auto async_remove(Key key, WriteOptions options, Token&& token = {}) {
    Writes writes;
    writes.push_back({std::move(key), std::nullopt});
    return boost::asio::async_initiate<Token, void(Result<bool>)>(
        typename Initiate::template WriteAll<Result<bool>>{core_, runtime_}, token,
        std::move(writes), options);
  }
  template <class Token = boost::asio::deferred_t>
    requires(!std::same_as<std::decay_t<Token>, WriteOptions>)
  auto async_remove(Key key, Token&& token = {}) {
    return async_remove(std::move(key), WriteOptions{}, std::forward<Token>(token));
  }

  // As invalidate(); completes when the shared tier has confirmed it, or cannot be told now:
  // then this process tells it later. Completion signature: void(bool): whether there was a copy.
  template <class Token = boost::asio::deferred_t>
  auto async_invalidate(Key key, Token&& token = {}) {
    const auto operation = [key = std::move(key)](Core& core) { return core.invalidate(key); };
    return boost::asio::async_initiate<Token, void(bool)>(
        typename Initiate::template OnceTold<decltype(operation)>{core_, runtime_, operation},
        token);
  }

  // ---- For doors and whoever counts nanoseconds. ----

  // Calls visitor(ValueView, const EntryInfo&) if memory has a usable copy, and
  // counts a hit; no copy of the value, no count of a miss. The visitor runs
  // under the tier's protection: short, no call into the cache, keeps no view.
  template <class Visitor>
  bool visit(KeyView key, Visitor&& visitor) {
    return core_->visit(key, std::forward<Visitor>(visitor));
  }
  // The same, without counting as a use.
  template <class Visitor>
  bool inspect(KeyView key, Visitor&& visitor) const {
    return core_->inspect(key, std::forward<Visitor>(visitor));
  }

  // Whether its copies are in a shared tier, too.
  [[nodiscard]] bool shares() const { return core_->shares(); }
  // Calls `told`, once, on any thread and perhaps before this returns, when the shared tier has
  // confirmed what this cache invalidated before, or cannot be told now. It must not block.
  void once_told(SharedCopies::Told told) { core_->once_told(std::move(told)); }

  // What a fetch() is still owed, for who may want it no longer. Threads: any; it may
  // outlive the cache.
  class Wait {
   public:
    // Calls each(index, why) on this thread for every key that has no answer yet. What the
    // source was not asked for by now, and nobody else waits for, it will not be asked for.
    void abandon(const Error& why) const {
      if (const auto core = core_.lock()) core->abandon(call_, why);
    }

   private:
    friend class Cache;
    Wait(const std::shared_ptr<Core>& core, typename Core::CallPtr call)
        : core_{core}, call_{std::move(call)} {}

    std::weak_ptr<Core> core_;
    typename Core::CallPtr call_;
  };

  // Reads `keys` and calls each(index, answer) once a key: before fetch returns
  // for what is known, else from whatever thread the answer comes on, for
  // different keys concurrently. `each` must not block.
  Wait fetch(std::span<const Key> keys, ReadOptions options, Each each) {
    const auto call = Core::call(keys.size(), std::move(each));
    core_->fetch(call, keys, options);
    return Wait{core_, call};
  }

  // Writes, or with no value removes, and calls each(index, outcome) once a write, as fetch
  // does: an error, or whether there was something to remove. `each` must not block.
  void write(Writes writes, WriteOptions options, EachOutcome each) {
    const std::size_t count = writes.size();
    core_->write(std::make_shared<typename Core::WriteCall>(count, std::move(each)),
                 std::move(writes), options);
  }

  // Atomically looks at the copy in memory and changes it; see MemoryTier::update.
  // If that changes the value, what is on its way for the key fills nothing any more.
  // `now`: as the clock tells, or told shortly before.
  template <class Decide>
  auto update(KeyView key, TimePoint now, Decide&& decide) {
    return core_->update(key, now, std::forward<Decide>(decide));
  }
  template <class Decide>
  auto update(KeyView key, Decide&& decide) {
    return core_->update(key, core_->now(), std::forward<Decide>(decide));
  }
  // What put() would store at `now` beside the value, for update(). REQUIRES: a ttl
  // of the options is longer than 0.
  [[nodiscard]] EntryInfo entry_for_put(TimePoint now, WriteOptions options = {}) {
    return core_->entry_for_put(now, options);
  }
  [[nodiscard]] EntryInfo entry_for_put(WriteOptions options = {}) {
    return core_->entry_for_put(core_->now(), options);
  }

  // A hit, or a miss that no source can answer, that a door found in a shared
  // tier by itself.
  void count_hit(bool negative) { core_->count_hit(negative); }
  void count_miss() { core_->count_miss(); }

  // For a cache that another takes the place of, in the same tier: from now on its
  // loads answer their readers and fill nothing, and what its writes change is invalid in
  // `heir`, which may be null. REQUIRES: nobody puts or updates through this cache any more.
  void retire(const Cache* heir = nullptr) { core_->retire(heir ? heir->core_ : nullptr); }
  // Its number in the tier.
  [[nodiscard]] Space space() const { return core_->parts().space; }

  // The load of `key` that is on its way and may fill, if one is. For people: it may
  // have ended by the time that one looks.
  [[nodiscard]] std::optional<LoadOnWay> loading(KeyView key) const { return core_->loading(key); }

  // ---- About it. ----

  [[nodiscard]] CacheStats stats() const { return core_->stats(); }
  [[nodiscard]] const std::string& name() const { return core_->parts().name; }
  [[nodiscard]] Strategy strategy() const { return core_->parts().strategy; }
  [[nodiscard]] bool has_source() const { return core_->parts().source != nullptr; }
  [[nodiscard]] FreshnessOptions freshness() const { return core_->parts().freshness; }
  [[nodiscard]] const LoadGate& gate() const { return *core_->parts().gate; }
  // Whether remove() removes from the source.
  [[nodiscard]] bool removes() const {
    return core_->parts().writer && core_->parts().writer->removes();
  }
  // What the writer says of itself; "none" without one.
  [[nodiscard]] std::string describe_writer() const {
    return core_->parts().writer ? core_->parts().writer->describe() : "none";
  }
  // What the writer knows of a key; nothing without one.
  [[nodiscard]] Writer<Key, Value>::Facts explain_writes(const Key& key) const {
    if (!core_->parts().writer) return {};
    return core_->parts().writer->explain(key);
  }
  // Of its copies in memory; null: nobody vouches for them. For who reads from its tier itself.
  [[nodiscard]] const std::shared_ptr<Vouch>& vouch() const { return core_->vouch(); }
  // What the source says of itself; "none" without one.
  [[nodiscard]] std::string describe_source() const {
    return has_source() ? core_->parts().source->describe() : "none";
  }

 private:
  using AnswerType = Answer<Value>;
  using Outcomes = std::vector<Result<bool>>;
  using CorePtr = std::shared_ptr<Core>;
  using Initiate = detail::Initiate<Key, Value>;

  static CorePtr assemble(Runtime& runtime, CacheOptions<Key, Value> options) {
    const std::string name = options.name;
    try {
      return assembled(runtime, std::move(options));
    } catch (const std::invalid_argument& wrong) {
      throw std::invalid_argument{"cache \"" + name + "\": " + wrong.what()};
    }
  }

  static CorePtr assembled(Runtime& runtime, CacheOptions<Key, Value> options) {
    auto source = options.source.bind(runtime, options.name);
    auto strategy = source ? Strategy::kReadThrough : Strategy::kCacheAside;
    auto writer = options.writer.bind(runtime, options.name);
    if (writer) strategy = Strategy::kWriteThrough;
    if (options.strategy) strategy = *options.strategy;
    if (!options.tier && options.memory.capacity.bytes == 0) {
      throw std::invalid_argument{"memory.capacity is 0 bytes, so nothing could ever be kept"};
    }
    if (options.shared.part) {
      if (options.name == CacheOptions<Key, Value>{}.name) {
        throw std::invalid_argument{
            "in a shared tier caches are told apart by their names: give it one of its own "
            "(.name)"};
      }
      options.shared.copies =
          options.shared.part(options.name, source ? source->describe() : std::string{});
    }
    if (options.shared && !options.memory_ttl && !options.shared.copies->vouch()) {
      options.memory_ttl = std::chrono::seconds{1};
    }
    if (!options.tier) options.tier = std::make_shared<MemoryTier<Key, Value>>(options.memory);
    if (!options.gate) options.gate = std::make_shared<LoadGate>(options.loads);
    if (!options.write_gate) options.write_gate = std::make_shared<LoadGate>(options.writes);
    auto core = std::make_shared<Core>(detail::CacheParts<Key, Value>{
        .name = std::move(options.name),
        .strategy = strategy,
        .tier = std::move(options.tier),
        .space = options.space,
        .source = std::move(source),
        .writer = std::move(writer),
        .gate = std::move(options.gate),
        .write_gate = std::move(options.write_gate),
        .unknown_write = options.unknown_write,
        .freshness = {.ttl = options.ttl,
                      .jitter = options.jitter,
                      .negative_ttl = options.negative_ttl},
        .shared = std::move(options.shared),
        .on_shared_down = options.on_shared_down,
        .memory_ttl = options.memory_ttl,
        .clock = &runtime.clock(),
        .timers = runtime.handle().timers(),
        .seed = std::random_device{}(),
    });
    if (core->parts().shared) core->parts().shared.copies->listen(core);
    return core;
  }

  [[nodiscard]] Error would_stop() const {
    return {Errc::kInvalidArgument,
            "cache \"" + name() +
                "\": a blocking call on an I/O thread would stop everything else on it; use the "
                "async_ call"};
  }
  // Leave for this thread to wait.
  [[nodiscard]] Result<WaitScope> begin_wait() const {
    Result<WaitScope> begun = WaitScope::begin();
    if (!begun) begun.error().message.insert(0, "cache \"" + name() + "\": ");
    return begun;
  }

  std::vector<AnswerType> wait_for(std::span<const Key> keys, ReadOptions options) {
    if (runtime_.on_io_thread()) {
      return std::vector<AnswerType>(keys.size(), AnswerType{would_stop(), Origin::kNone});
    }
    if (keys.empty()) return {};
    const auto rendezvous = std::make_shared<detail::Rendezvous<AnswerType>>();
    const auto call = Core::call(
        keys.size(),
        detail::collect<AnswerType>(keys.size(), [rendezvous](std::vector<AnswerType> answers) {
          rendezvous->arrive(std::move(answers));
        }));
    core_->fetch(call, keys, options);
    std::optional<WaitScope> waiting;  // ends when this thread no longer waits
    if (!call->complete()) {
      Result<WaitScope> begun = begin_wait();
      if (begun) {
        waiting.emplace(std::move(*begun));
      } else {
        core_->abandon(call, begun.error());
      }
    }
    return rendezvous->wait();
  }

  // A write cannot be taken back, so the leave to wait comes first.
  Outcomes write_and_wait(Writes writes, WriteOptions options) {
    const std::size_t count = writes.size();
    if (count == 0) return {};
    std::optional<WaitScope> waiting;
    if (core_->write_waits()) {
      if (runtime_.on_io_thread()) return Outcomes(count, std::unexpected{would_stop()});
      Result<WaitScope> begun = begin_wait();
      if (!begun) return Outcomes(count, std::unexpected{std::move(begun.error())});
      waiting.emplace(std::move(*begun));
    }
    const auto rendezvous = std::make_shared<detail::Rendezvous<Result<bool>>>();
    write(std::move(writes), options,
          detail::collect<Result<bool>>(
              count, [rendezvous](Outcomes outcomes) { rendezvous->arrive(std::move(outcomes)); }));
    return rendezvous->wait();
  }

  static Writes writes_of(std::vector<std::pair<Key, Value>> entries) {
    Writes writes;
    writes.reserve(entries.size());
    for (auto& [key, value] : entries) writes.push_back({std::move(key), std::move(value)});
    return writes;
  }
  template <class Outcome, class Operation, class Token>
  auto at_once(Operation operation, Token&& token) {
    return boost::asio::async_initiate<Token, void(Outcome)>(
        typename Initiate::template AtOnce<Outcome, Operation>{core_, runtime_,
                                                               std::move(operation)},
        token);
  }

  RuntimeHandle runtime_;
  CorePtr core_;
};

}  // namespace larder
