// The way of a load: from the gate to the source and back into memory.
//
// The second half of CacheCore; cache_core.hpp says what holds for all of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/detail/cache_core.hpp"
#include "larder/detail/cache_shared.hpp"

namespace larder::detail {

// One load: from before the gate until its flights have landed. Whoever lets go of
// the last reference without an answer has lost it, and its readers are told.
//
// Until it ends it holds the core; whoever else keeps it (the gate, a source that
// never answers) then keeps nothing but the load.
//
// Lock order: load, then shard.
template <class Key, class Value>
class CacheCore<Key, Value>::Load : public UnderWay, public std::enable_shared_from_this<Load> {
 public:
  Load(std::shared_ptr<CacheCore> core, std::vector<FlightPtr> flights)
      : core_{std::move(core)}, flights_{std::move(flights)} {}

  ~Load() override {
    end_all(Error{Errc::kCancelled, "the source dropped the load; is it shutting down?"});
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Its turn has come: the epoch of its flights is fixed. The keys to load; none,
  // when nobody waits for any of them, or it has ended already.
  [[nodiscard]] std::vector<Key> take_off(LoadGate::Permit permit) LARDER_EXCLUDES(mutex_) {
    std::vector<Key> keys;
    const MutexLock lock{mutex_};
    ticket_.reset();
    if (!core_) return keys;
    const TimePoint now = core_->now();
    asked_ = true;
    std::erase_if(flights_, [now, &core = *core_](const FlightPtr& flight) {
      Shard& shard = core.shard_of(flight->key());
      const MutexLock shard_lock{shard.mutex};
      const bool written = shard.marks.marked(flight->key(), now);
      if (shard.flights.take_off(flight, now, written)) return false;
      if (SharedLease lease = flight->take_lease()) {
        core.parts_.shared.copies->release(std::move(lease));
      }
      return true;
    });
    keys.reserve(flights_.size());
    for (const FlightPtr& flight : flights_) keys.push_back(flight->key());
    permit_.emplace(std::move(permit));
    return keys;
  }

  // The source begins to run it. False: it has ended already.
  [[nodiscard]] bool begin() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!core_) return false;
    began_ = core_->now();
    deadline_ = after(core_->parts_.gate->limits().timeout);
    if (timer_ && deadline_ < due_) arm();
    return true;
  }

  // Has it end when it waits or runs for too long. `ticket` is that of the gate.
  void watch(LoadGate::Ticket ticket) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!core_) return;
    if (!asked_) ticket_ = ticket;
    if (!began_) deadline_ = after(core_->parts_.gate->limits().wait_timeout);
    arm();
  }

  // The source's answer, or the first part of it; another load then goes on with the rest.
  // REQUIRES: it has taken off.
  void end(std::vector<Loaded<Value>> results) {
    Ended ended = over();
    if (!ended.core) return;
    auto& flights = ended.flights;
    const bool in_part = results.size() < flights.size() && !results.empty() &&
                         ended.core->parts_.source->answers_in_parts();
    if (results.size() != flights.size() && !in_part) {
      const Error wrong{Errc::kInternal, "the source answered " + std::to_string(results.size()) +
                                             " results to " + std::to_string(flights.size()) +
                                             " keys"};
      return fail_all(std::move(ended), wrong);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i]) ended.core->load_failures_.fetch_add(1, std::memory_order_relaxed);
      ended.core->land(flights[i], std::move(results[i]), ended.cost);
    }
    if (!in_part) return;
    flights.erase(flights.begin(), flights.begin() + static_cast<std::ptrdiff_t>(results.size()));
    ended.core->go_on(std::move(flights), take_permit());
  }

  void end_all(const Error& error) {
    Ended ended = over();
    if (ended.core) fail_all(std::move(ended), error);
  }

  void call_off(const Error& why) override { end_all(why); }

 private:
  struct Ended {
    std::shared_ptr<CacheCore> core{};  // null: it had ended before
    std::vector<FlightPtr> flights{};
    std::unique_ptr<Timer> timer{};
    std::optional<LoadGate::Ticket> ticket{};
    bool began = false;
    Duration cost{};
  };

  // Longer than any process runs, and far from where a time point overflows.
  static constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

  [[nodiscard]] TimePoint after(Duration delay) const LARDER_REQUIRES(mutex_) {
    return core_->parts_.timers->now() + std::min(delay, kLongest);
  }

  // One timer a load, as a rule: a deadline that moves away is looked at again when
  // the timer is due.
  void arm() LARDER_REQUIRES(mutex_) {
    const Timers& timers = *core_->parts_.timers;
    due_ = deadline_;
    timer_ = core_->parts_.timers->after(deadline_ - timers.now(), [weak = this->weak_from_this()] {
      if (const LoadPtr load = weak.lock()) load->look();
    });
  }

  void look() LARDER_EXCLUDES(mutex_) {
    std::optional<Error> late;
    {
      const MutexLock lock{mutex_};
      if (!core_) return;
      if (core_->parts_.timers->now() < deadline_) return arm();
      late = core_->too_late(began_.has_value());
    }
    end_all(*late);
  }

  [[nodiscard]] LoadGate::Permit take_permit() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return std::move(*permit_);
  }

  // Ends it, once.
  Ended over() LARDER_EXCLUDES(mutex_) {
    Ended ended;
    {
      const MutexLock lock{mutex_};
      if (!core_) return ended;
      ended = {.core = std::move(core_),
               .flights = std::move(flights_),
               .timer = std::move(timer_),
               .ticket = ticket_,
               .began = began_.has_value()};
      if (began_) ended.cost = ended.core->now() - *began_;
    }
    if (ended.ticket) ended.core->parts_.gate->withdraw(*ended.ticket);
    ended.core->load_time_.fetch_add(ended.cost.count(), std::memory_order_relaxed);
    ended.core->forget(*this);
    return ended;
  }

  static void fail_all(Ended ended, const Error& error) {
    auto& count = ended.began ? ended.core->load_failures_ : ended.core->refused_;
    count.fetch_add(ended.flights.size(), std::memory_order_relaxed);
    for (const FlightPtr& flight : ended.flights) {
      ended.core->land(flight, Loaded<Value>{std::unexpected{error}}, ended.cost);
    }
  }

  Mutex mutex_;
  std::shared_ptr<CacheCore> core_ LARDER_GUARDED_BY(mutex_);  // null: it has ended
  std::vector<FlightPtr> flights_ LARDER_GUARDED_BY(mutex_);
  bool asked_ LARDER_GUARDED_BY(mutex_) = false;                // the source was; it has taken off
  std::optional<TimePoint> began_ LARDER_GUARDED_BY(mutex_){};  // to run
  std::optional<LoadGate::Ticket> ticket_ LARDER_GUARDED_BY(mutex_){};
  TimePoint deadline_ LARDER_GUARDED_BY(mutex_){};  // it ends then, of what the timers count
  TimePoint due_ LARDER_GUARDED_BY(mutex_){};       // the timer is
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(mutex_);
  // Given back when the source is done, not when we give up.
  std::optional<LoadGate::Permit> permit_ LARDER_GUARDED_BY(mutex_){};
};

template <class Key, class Value>
void CacheCore<Key, Value>::load(std::vector<FlightPtr> flights) {
  const std::size_t most = std::max<std::size_t>(parts_.source->most_keys(), 1);
  for (std::size_t begin = 0; begin < flights.size(); begin += most) {
    const std::size_t end = std::min(flights.size(), begin + most);
    const auto load = std::make_shared<Load>(
        this->shared_from_this(),
        std::vector<FlightPtr>(flights.begin() + static_cast<std::ptrdiff_t>(begin),
                               flights.begin() + static_cast<std::ptrdiff_t>(end)));
    if (!remember(load)) {
      load->end_all(closed());
      continue;
    }
    const auto ticket =
        parts_.gate->enter([load, weak = this->weak_from_this()](LoadGate::Permit permit) {
          if (const auto core = weak.lock()) core->take_off(load, std::move(permit));
        });
    if (ticket) {
      load->watch(*ticket);
      continue;
    }
    const LoadLimits& limits = parts_.gate->limits();
    load->end_all(Error{Errc::kOverloaded, "cache \"" + parts_.name + "\": too many loads: " +
                                               std::to_string(limits.concurrent) +
                                               " under way and " + std::to_string(limits.waiting) +
                                               " waiting at " + parts_.source->describe()});
  }
}

// The turn of a load has come: the source is asked.
template <class Key, class Value>
void CacheCore<Key, Value>::take_off(const LoadPtr& load, LoadGate::Permit permit) {
  std::vector<Key> keys = load->take_off(std::move(permit));
  if (keys.empty()) return;
  loads_.fetch_add(keys.size(), std::memory_order_relaxed);
  ask(load, std::move(keys));
}

// Those that are left of a load which the source answered in part, in the same turn.
template <class Key, class Value>
void CacheCore<Key, Value>::go_on(std::vector<FlightPtr> flights, LoadGate::Permit permit) {
  const auto load = std::make_shared<Load>(this->shared_from_this(), std::move(flights));
  if (!remember(load)) return load->end_all(closed());
  std::vector<Key> keys = load->take_off(std::move(permit));
  if (keys.empty()) return;
  ask(load, std::move(keys));
  load->watch({});
}

template <class Key, class Value>
void CacheCore<Key, Value>::ask(const LoadPtr& load, std::vector<Key> keys) {
  batches_.fetch_add(1, std::memory_order_relaxed);
  try {
    parts_.source->submit(
        std::move(keys), [load] { return load->begin(); },
        [load](std::vector<Loaded<Value>> results) { load->end(std::move(results)); });
  } catch (const std::exception& exception) {
    load->end_all(threw(exception.what()));
  } catch (...) {
    load->end_all(threw("something that is no std::exception"));
  }
}

template <class Key, class Value>
Error CacheCore<Key, Value>::threw(const char* what) const {
  return {Errc::kSourceFailed, "cache \"" + parts_.name + "\": the source threw (" + what +
                                   ") instead of answering: " + parts_.source->describe()};
}

template <class Key, class Value>
Error CacheCore<Key, Value>::too_late(bool began) const {
  const auto text = [](Duration duration) {
    return std::to_string(duration / std::chrono::milliseconds{1}) + " ms";
  };
  const LoadLimits& limits = parts_.gate->limits();
  const std::string where = "cache \"" + parts_.name + "\": ";
  if (began) {
    return {Errc::kSourceFailed, where + "no answer within the load timeout of " +
                                     text(limits.timeout) + " from " + parts_.source->describe()};
  }
  return {Errc::kOverloaded,
          where + "the load waited for its turn for the wait_timeout of " +
              text(limits.wait_timeout) + " and was given up; at most " +
              std::to_string(limits.concurrent) +
              " run at a time, as far as there are threads and connections, at " +
              parts_.source->describe()};
}

template <class Key, class Value>
bool CacheCore<Key, Value>::remember(const std::shared_ptr<UnderWay>& work) {
  const MutexLock lock{under_way_mutex_};
  if (!closed_) under_way_.emplace(work.get(), work);
  return !closed_;
}

template <class Key, class Value>
void CacheCore<Key, Value>::forget(const UnderWay& work) {
  const MutexLock lock{under_way_mutex_};
  under_way_.erase(&work);
}

// Every flight belongs to a load, or is about to be given one by start(), which
// finds the cache closed.
template <class Key, class Value>
void CacheCore<Key, Value>::close() {
  std::unordered_map<const UnderWay*, std::weak_ptr<UnderWay>> works;
  {
    const MutexLock lock{under_way_mutex_};
    closed_ = true;
    works = under_way_;
  }
  for (const auto& [name, weak] : works) {
    if (const auto work = weak.lock()) work->call_off(closed());
  }
}

template <class Key, class Value>
Error CacheCore<Key, Value>::closed() const {
  return {Errc::kCancelled,
          "cache \"" + parts_.name +
              "\": its runtime has stopped, so nothing is loaded or written any more"};
}

template <class Key, class Value>
void CacheCore<Key, Value>::land(const FlightPtr& flight, Loaded<Value> result, Duration cost) {
  Handle<Value> value;
  if (result && *result) value = hold(std::move(**result));

  typename Table::Landing landing;
  std::optional<EntryInfo> life;
  SharedLease lease;
  {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    landing = shard.flights.land(flight);
    lease = flight->take_lease();
    if (landing.may_fill && result) {
      life = life_of(flight->began(), flight->ttl(), value == nullptr, cost);
      fill(flight->key(), value, flight->began(), life);
    }
  }
  if (result && !landing.may_fill) discarded_.fetch_add(1, std::memory_order_relaxed);
  if (lease) {
    settle(flight, std::move(lease), landing.may_fill, result, value, life);
  } else if (flight->anew() && landing.may_fill && result) {
    invalidate_shared(flight->key());  // the tier could not be asked, and has an older copy yet
  }
  // What dooms a load may be older than what is wanted anew, or take nothing away: a copy from
  // before may be in the tier yet, and from there in memory, or come by a write.
  if (flight->anew() && !landing.may_fill && result) {
    if (parts_.shared) {
      invalidate(flight->key());
    } else {
      Shard& shard = shard_of(flight->key());
      const MutexLock lock{shard.mutex};
      shard.marks.contend(flight->key());
    }
  }

  answer(landing, !result ? AnswerType{result.error(), Origin::kSource}
                  : value ? AnswerType{value, Origin::kSource}
                          : AnswerType{Origin::kSource});
  if (landing.next) start({std::move(landing.next)});
}

template <class Key, class Value>
void CacheCore<Key, Value>::answer(const typename Table::Landing& landing,
                                   const AnswerType& answer) {
  for (const Waiter& waiter : landing.waiters) waiter.call->answer(waiter.index, answer);
}

// What is kept beside a value that was true at `began`, or beside the knowledge that there
// is none; none: that is not kept.
template <class Key, class Value>
std::optional<EntryInfo> CacheCore<Key, Value>::life_of(TimePoint began,
                                                        std::optional<Duration> ttl, bool absent,
                                                        Duration cost) {
  std::optional<EntryInfo> info = freshness_.absence(began, random());
  if (!absent) info = freshness_.value(began, ttl, random());
  if (!info) return std::nullopt;
  info->load_cost = cost;
  info->space = parts_.space;
  return info;
}

template <class Key, class Value>
void CacheCore<Key, Value>::fill(KeyView key, const Handle<Value>& value, TimePoint began,
                                 std::optional<EntryInfo> life) {
  Duration most = parts_.memory_ttl.value_or(Duration::max());
  if (vouch_) most = std::min(most, vouch_->longest());
  if (life && most < Duration::max()) {
    const TimePoint until = began + most;
    life->fresh_until = std::min(life->fresh_until, until);
    life->usable_until = std::min(life->usable_until, until);
  }
  if (!life || life->usable_until <= now()) {  // but what was there is no longer true
    parts_.tier->erase(key, now());
    return;
  }
  // A value too large for the tier is not kept; its readers get it all the same.
  parts_.tier->fill(key, view_of(value), *life, now());
}

}  // namespace larder::detail
