// The way of a write: when its turn has come its key is marked, here and in the shared tier;
// then the writer is asked, and what the source then holds is kept.
//
// The last part of CacheCore; cache_core.hpp says what holds for all of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/detail/cache_core.hpp"
#include "larder/detail/cache_load.hpp"

namespace larder::detail {

// Writes that go to the writer together: from before the gate until their keys are marked
// no more. A caller may have its answer earlier (a timeout); the marks stay until the writer
// has ended, however long that takes. Whoever lets go of the last reference without an
// outcome has lost it, and nobody knows what became of the writes that had begun.
//
// Until it ends it holds the core.
//
// Lock order: writing, then shard.
template <class Key, class Value>
class CacheCore<Key, Value>::Writing : public UnderWay,
                                       public std::enable_shared_from_this<Writing> {
 public:
  using Writes = std::vector<Write<Key, Value>>;

  // writes[i] is that of `call`'s index places[i].
  Writing(std::shared_ptr<CacheCore> core, WriteCallPtr call, Writes writes,
          std::vector<std::size_t> places, std::optional<Duration> ttl)
      : call_{std::move(call)},
        places_{std::move(places)},
        ttl_{ttl},
        core_{std::move(core)},
        writes_{std::move(writes)} {
    for (const auto& write : writes_) keys_.push_back(write.key);
  }
  ~Writing() override {
    give_up({Errc::kCancelled, "the writer dropped the write; is it shutting down?"});
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  // Its turn has come: its keys are marked in this process. False: it has ended already.
  [[nodiscard]] bool take_off(LoadGate::Permit permit) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    ticket_.reset();
    if (!core_) return false;
    permit_.emplace(std::move(permit));
    asked_ = core_->now();
    for (const Key& key : keys_) core_->mark(key);
    return true;
  }

  // The shared tier was told, or cannot be. False: it has ended already, and wrote nothing;
  // the marks are the caller's to finish.
  [[nodiscard]] bool hold(std::vector<SharedMark>& marks) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!core_) return false;
    marks_ = std::move(marks);
    return true;
  }

  // What the writer is to get, once; none, when it has ended already.
  [[nodiscard]] Writes take_writes() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return core_ ? std::move(writes_) : Writes{};
  }
  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }

  // The writer begins. False: it has ended already.
  [[nodiscard]] bool begin() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!core_) return false;
    began_ = core_->now();
    arm(core_->parts_.write_gate->limits().timeout);
    return true;
  }

  // Has it answered when it waits or runs for too long. `ticket` is that of the gate.
  void watch(LoadGate::Ticket ticket) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!core_) return;
    if (!asked_) ticket_ = ticket;
    if (!began_) arm(core_->parts_.write_gate->limits().wait_timeout);
  }

  // The writer's answer. REQUIRES: it has taken off.
  void end(std::vector<Result<Stored<Value>>> results) {
    Ended ended = over();
    if (!ended.core) return;
    const bool wrong = results.size() != keys_.size();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (wrong) {
        settle(ended, i,
               std::unexpected{unknown("the writer answered " + std::to_string(results.size()) +
                                       " results to " + std::to_string(keys_.size()) + " writes")});
      } else {
        settle(ended, i, std::move(results[i]));
      }
    }
  }

  // Nothing was written.
  void fail_all(const Error& error) {
    Ended ended = over();
    if (!ended.core) return;
    for (std::size_t i = 0; i < keys_.size(); ++i) settle(ended, i, std::unexpected{error});
  }

  // No outcome comes any more.
  void give_up(const Error& why) {
    Ended ended = over();
    if (!ended.core) return;
    const Error error = ended.began ? unknown(why.message) : why;
    for (std::size_t i = 0; i < keys_.size(); ++i) settle(ended, i, std::unexpected{error});
  }
  void call_off(const Error& why) override { give_up(why); }

 private:
  struct Ended {
    std::shared_ptr<CacheCore> core{};  // null: it had ended before
    std::unique_ptr<Timer> timer{};
    std::optional<LoadGate::Ticket> ticket{};
    std::optional<TimePoint> asked{};  // its keys are marked …
    std::vector<SharedMark> marks{};   // … and in the shared tier; or none
    std::optional<TimePoint> began{};
  };

  static Error unknown(const std::string& why) {
    return {
        Errc::kOutcomeUnknown,
        why + ". Whether the write was done is not known, and it may yet be: read the row to see"};
  }

  void arm(Duration delay) LARDER_REQUIRES(mutex_) {
    timer_ = core_->parts_.timers->after(delay, [weak = this->weak_from_this()] {
      if (const WritingPtr writing = weak.lock()) writing->late();
    });
  }

  // What has not begun ends here. What runs goes on, but nobody waits for it any more.
  void late() LARDER_EXCLUDES(mutex_) {
    std::optional<Error> error;
    bool began = false;
    {
      const MutexLock lock{mutex_};
      if (!core_) return;
      began = began_.has_value();
      error = core_->write_too_late(began);
    }
    if (!began) return give_up(*error);
    for (const std::size_t place : places_) call_->answer(place, std::unexpected{*error});
  }

  // Ends it, once.
  Ended over() LARDER_EXCLUDES(mutex_) {
    Ended ended;
    {
      const MutexLock lock{mutex_};
      if (!core_) return ended;
      ended.core = std::move(core_);
      ended.timer = std::move(timer_);
      ended.ticket = ticket_;
      ended.asked = asked_;
      ended.marks = std::move(marks_);
      ended.began = began_;
    }
    if (ended.ticket) ended.core->parts_.write_gate->withdraw(*ended.ticket);
    if (ended.began) {
      const Duration cost = ended.core->now() - *ended.began;
      ended.core->write_time_.fetch_add(cost.count(), std::memory_order_relaxed);
    }
    ended.core->forget(*this);
    return ended;
  }

  void settle(Ended& ended, std::size_t index, Result<Stored<Value>> result) {
    ended.core->count(result);
    if (ended.asked) {
      std::optional<SharedMark> mark;
      if (!ended.marks.empty()) mark = std::move(ended.marks[index]);
      ended.core->finish(keys_[index], result, *ended.asked, ttl_, std::move(mark));
    }
    Outcome outcome = true;
    if (result) {
      outcome = result->changed;
    } else {
      outcome = std::unexpected{std::move(result.error())};
    }
    call_->answer(places_[index], std::move(outcome));
  }

  const WriteCallPtr call_;
  const std::vector<std::size_t> places_;
  const std::optional<Duration> ttl_;
  std::vector<Key> keys_;  // never changes

  Mutex mutex_;
  std::shared_ptr<CacheCore> core_ LARDER_GUARDED_BY(mutex_);  // null: it has ended
  Writes writes_ LARDER_GUARDED_BY(mutex_);                    // until they are taken off
  std::optional<TimePoint> asked_ LARDER_GUARDED_BY(mutex_){};
  std::vector<SharedMark> marks_ LARDER_GUARDED_BY(mutex_);  // one a key, once it has them
  std::optional<TimePoint> began_ LARDER_GUARDED_BY(mutex_){};
  std::optional<LoadGate::Ticket> ticket_ LARDER_GUARDED_BY(mutex_){};
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
  // Given back when the writer is done, not when we give up.
  std::optional<LoadGate::Permit> permit_ LARDER_GUARDED_BY(mutex_){};
};

template <class Key, class Value>
void CacheCore<Key, Value>::write(const WriteCallPtr& call, std::vector<Write<Key, Value>> writes,
                                  WriteOptions options) {
  if (!parts_.writer) return write_aside(call, std::move(writes), options);
  if (options.timeout) {
    call->set_timer(parts_.timers->after(*options.timeout, [weak = std::weak_ptr{call},
                                                            name = parts_.name] {
      const auto late = weak.lock();
      if (!late) return;
      const Error error{Errc::kTimeout, "cache \"" + name +
                                            "\": no answer within the call's timeout; the write "
                                            "goes on, and may yet be done"};
      for (std::size_t i = 0; i < late->size(); ++i) late->answer(i, std::unexpected{error});
    }));
  }
  const std::size_t most = std::max<std::size_t>(parts_.writer->most_writes(), 1);
  std::vector<Write<Key, Value>> together;
  std::vector<std::size_t> places;
  const auto send = [&] {
    write_through(std::make_shared<Writing>(this->shared_from_this(), call,
                                            std::exchange(together, {}), std::exchange(places, {}),
                                            options.ttl));
  };
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (auto why = why_not(writes[i], options)) {
      call->answer(i, std::unexpected{std::move(*why)});
      continue;
    }
    together.push_back(std::move(writes[i]));
    places.push_back(i);
    if (together.size() == most) send();
  }
  if (!together.empty()) send();
}

// Why a write cannot be, whatever the source would say to it.
template <class Key, class Value>
std::optional<Error> CacheCore<Key, Value>::why_not(const Write<Key, Value>& write,
                                                    WriteOptions options) const {
  if (!is_ttl(options.ttl)) return bad_ttl();
  if (write.value || !parts_.writer || parts_.writer->removes()) return std::nullopt;
  return Error{Errc::kRefused,
               "cache \"" + parts_.name +
                   "\" cannot remove: its writer does not say how. Remove the row in "
                   "the source and invalidate the key"};
}

// Without a writer, in memory alone.
template <class Key, class Value>
void CacheCore<Key, Value>::write_aside(const WriteCallPtr& call,
                                        std::vector<Write<Key, Value>> writes,
                                        WriteOptions options) {
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (parts_.strategy != Strategy::kCacheAside) {
      call->answer(
          i, fail(Errc::kRefused,
                  "cache \"" + parts_.name + "\" is " + std::string{to_string(parts_.strategy)} +
                      " and takes no put: write to the source and invalidate the key, or "
                      "make the cache write-through"));
    } else if (!writes[i].value) {
      call->answer(i, invalidate(writes[i].key));
    } else {
      const Result<void> kept = put(writes[i].key, std::move(*writes[i].value), options);
      Outcome outcome = true;
      if (!kept) outcome = std::unexpected{kept.error()};
      call->answer(i, std::move(outcome));
    }
  }
}

template <class Key, class Value>
void CacheCore<Key, Value>::write_through(const WritingPtr& writing) {
  if (!remember(writing)) return writing->give_up(closed());
  const auto ticket =
      parts_.write_gate->enter([writing, weak = this->weak_from_this()](LoadGate::Permit permit) {
        if (const auto core = weak.lock()) core->take_off(writing, std::move(permit));
      });
  if (ticket) return writing->watch(*ticket);
  const LoadLimits& limits = parts_.write_gate->limits();
  writing->give_up({Errc::kOverloaded, "cache \"" + parts_.name + "\": too many writes: " +
                                           std::to_string(limits.concurrent) + " under way and " +
                                           std::to_string(limits.waiting) + " waiting at " +
                                           parts_.writer->describe()});
}

// The turn of a write has come: its keys are marked, and the writer is asked.
template <class Key, class Value>
void CacheCore<Key, Value>::take_off(const WritingPtr& writing, LoadGate::Permit permit) {
  if (!writing->take_off(std::move(permit))) return;
  if (parts_.shared) {
    mark_shared(writing);
  } else {
    submit(writing);
  }
}

template <class Key, class Value>
void CacheCore<Key, Value>::submit(const WritingPtr& writing) {
  std::vector<Write<Key, Value>> writes = writing->take_writes();
  if (writes.empty()) return;
  const auto threw = [&](const std::string& what) {
    writing->fail_all(
        {Errc::kSourceFailed, "cache \"" + parts_.name + "\": the writer threw (" + what +
                                  ") instead of answering: " + parts_.writer->describe()});
  };
  try {
    parts_.writer->submit(
        std::move(writes), [writing] { return writing->begin(); },
        [writing](std::vector<Result<Stored<Value>>> results) {
          writing->end(std::move(results));
        });
  } catch (const std::exception& exception) {
    threw(exception.what());
  } catch (...) {
    threw("something that is no std::exception");
  }
}

// From here on nothing is kept of the key: no copy, and no load, whenever it began.
template <class Key, class Value>
void CacheCore<Key, Value>::mark(const Key& key) {
  Shard& shard = shard_of(key);
  const MutexLock lock{shard.mutex};
  const TimePoint at = now();
  shard.marks.mark(key, at);
  shard.flights.doom(key);
  parts_.tier->erase(key, at);
}

// The write of a marked key, asked for at `asked`, has ended. A load that began beside it
// may have read before the commit, so whoever reads from now on asks anew. The shared tier is
// told first: who reads from now on asks it behind that.
template <class Key, class Value>
void CacheCore<Key, Value>::finish(const Key& key, Result<Stored<Value>>& result, TimePoint asked,
                                   std::optional<Duration> ttl, std::optional<SharedMark> mark) {
  const bool unknown = !result && result.error().code == Errc::kOutcomeUnknown;
  Handle<Value> value;
  if (result && result->value) value = hold(std::move(*result->value));
  std::optional<EntryInfo> life;
  if (result && result->told) life = life_of(asked, ttl, value == nullptr, Duration::zero());

  finish_for_heir(key);
  if (mark && unknown) {
    parts_.shared.copies->leave_write(std::move(*mark), parts_.unknown_write);
  } else if (mark) {
    finish_shared(std::move(*mark), value, life);
  }
  Shard& shard = shard_of(key);
  const MutexLock lock{shard.mutex};
  const TimePoint at = now();
  shard.flights.doom(key);
  if (unknown) return shard.marks.leave(key, at + parts_.unknown_write, at);
  const bool alone = shard.marks.finish(key, at);
  parts_.tier->erase(key, at);  // which tells whoever read it meanwhile; see MemoryListener
  if (alone && result && result->told && !shard.flights.retired()) fill(key, value, asked, life);
}

// What the heir loaded beside the write may be from before the commit.
template <class Key, class Value>
void CacheCore<Key, Value>::finish_for_heir(const Key& key) {
  std::shared_ptr<CacheCore> heir;
  {
    const MutexLock lock{under_way_mutex_};
    heir = heir_.lock();
  }
  if (heir) heir->invalidate(key);
}

template <class Key, class Value>
void CacheCore<Key, Value>::count(const Result<Stored<Value>>& result) {
  const auto add = [](std::atomic<std::uint64_t>& count) {
    count.fetch_add(1, std::memory_order_relaxed);
  };
  if (result) return add(writes_);
  switch (result.error().code) {
    case Errc::kRejected:
    case Errc::kConflict: return add(writes_rejected_);
    case Errc::kOutcomeUnknown: return add(writes_unknown_);
    default: return add(writes_failed_);
  }
}

template <class Key, class Value>
Error CacheCore<Key, Value>::write_too_late(bool began) const {
  const auto text = [](Duration duration) {
    return std::to_string(duration / std::chrono::milliseconds{1}) + " ms";
  };
  const LoadLimits& limits = parts_.write_gate->limits();
  const std::string where = "cache \"" + parts_.name + "\": ";
  if (began) {
    return {Errc::kOutcomeUnknown, where + "no answer within the write timeout of " +
                                       text(limits.timeout) + " from " + parts_.writer->describe() +
                                       ". Whether the write was done is not known, and it may yet "
                                       "be: read the row to see"};
  }
  return {Errc::kOverloaded, where + "the write waited for its turn for the wait_timeout of " +
                                 text(limits.wait_timeout) +
                                 " and was given up, so nothing was written; at most " +
                                 std::to_string(limits.concurrent) + " run at a time, at " +
                                 parts_.writer->describe()};
}

}  // namespace larder::detail
