// The way of a load: from the gate to the source and back into memory.
//
// The second half of CacheCore; cache_core.hpp says what holds for all of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/detail/cache_core.hpp"

namespace larder::detail {

// One load on its way to the source and back. Whoever lets go of the last
// reference without an answer has lost it, and its readers are told.
template <class Key, class Value>
class CacheCore<Key, Value>::Load {
 public:
  Load(std::shared_ptr<CacheCore> core, std::vector<FlightPtr> flights, LoadGate::Permit permit,
       TimePoint began)
      : core_{std::move(core)},
        flights_{std::move(flights)},
        permit_{std::move(permit)},
        began_{began} {}

  ~Load() { end_all(Error{Errc::kCancelled, "the source dropped the load; is it shutting down?"}); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void end(std::vector<Loaded<Value>> results) {
    if (results.size() != flights_.size()) {
      return end_all(Error{Errc::kInternal, "the source answered " +
                                                std::to_string(results.size()) + " results to " +
                                                std::to_string(flights_.size()) + " keys"});
    }
    if (ended_.exchange(true, std::memory_order_acq_rel)) return;
    const Duration cost = account();
    for (std::size_t i = 0; i < flights_.size(); ++i) {
      if (!results[i]) core_->load_failures_.fetch_add(1, std::memory_order_relaxed);
      core_->land(flights_[i], std::move(results[i]), cost);
    }
    core_.reset();
  }

  void end_all(const Error& error) {
    if (ended_.exchange(true, std::memory_order_acq_rel)) return;
    const Duration cost = account();
    core_->load_failures_.fetch_add(flights_.size(), std::memory_order_relaxed);
    for (const FlightPtr& flight : flights_) {
      core_->land(flight, Loaded<Value>{std::unexpected{error}}, cost);
    }
    core_.reset();
  }

  void set_timer(std::unique_ptr<Timer> timer) {
    const MutexLock lock{timer_mutex_};
    if (!ended_.load(std::memory_order_acquire)) timer_ = std::move(timer);
  }

 private:
  Duration account() {
    {
      const MutexLock lock{timer_mutex_};
      timer_.reset();
    }
    const Duration cost = core_->now() - began_;
    core_->load_time_.fetch_add(cost.count(), std::memory_order_relaxed);
    return cost;
  }

  // Whoever ends the load lets go of it: a source that hangs on to a load for
  // ever must not keep the cache, which holds the source.
  std::shared_ptr<CacheCore> core_;
  const std::vector<FlightPtr> flights_;
  const LoadGate::Permit permit_;  // given back when the source is done, not when we give up
  const TimePoint began_;
  std::atomic<bool> ended_{false};
  Mutex timer_mutex_;
  std::unique_ptr<Timer> timer_ LARDER_GUARDED_BY(timer_mutex_);
};

template <class Key, class Value>
void CacheCore<Key, Value>::start(std::vector<FlightPtr> flights) {
  const std::size_t most = std::max<std::size_t>(parts_.source->most_keys(), 1);
  for (std::size_t begin = 0; begin < flights.size(); begin += most) {
    const std::size_t end = std::min(flights.size(), begin + most);
    std::vector<FlightPtr> batch(flights.begin() + static_cast<std::ptrdiff_t>(begin),
                                 flights.begin() + static_cast<std::ptrdiff_t>(end));
    const bool entered = parts_.gate->enter(
        [core = this->shared_from_this(), batch](LoadGate::Permit permit) mutable {
          core->take_off(std::move(batch), std::move(permit));
        });
    if (entered) continue;
    refused_.fetch_add(batch.size(), std::memory_order_relaxed);
    const LoadLimits& limits = parts_.gate->limits();
    const Error full{Errc::kOverloaded, "cache \"" + parts_.name + "\": too many loads: " +
                                            std::to_string(limits.concurrent) + " under way and " +
                                            std::to_string(limits.waiting) + " waiting at " +
                                            parts_.source->describe()};
    for (const FlightPtr& flight : batch) land(flight, std::unexpected{full}, Duration{});
  }
}

// The turn of these flights has come: their epoch is fixed, and the source is asked.
template <class Key, class Value>
void CacheCore<Key, Value>::take_off(std::vector<FlightPtr> flights, LoadGate::Permit permit) {
  const TimePoint began = now();
  std::erase_if(flights, [&](const FlightPtr& flight) {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    return !shard.flights.take_off(flight, began);
  });
  if (flights.empty()) return;

  std::vector<Key> keys;
  keys.reserve(flights.size());
  for (const FlightPtr& flight : flights) keys.push_back(flight->key());
  loads_.fetch_add(keys.size(), std::memory_order_relaxed);
  batches_.fetch_add(1, std::memory_order_relaxed);

  const auto load = std::make_shared<Load>(this->shared_from_this(), std::move(flights),
                                           std::move(permit), began);
  load->set_timer(parts_.timers->after(
      parts_.gate->limits().timeout, [weak = std::weak_ptr{load}, core = this->weak_from_this()] {
        const auto late = weak.lock();
        const auto self = core.lock();
        if (!late || !self) return;
        late->end_all(Error{Errc::kSourceFailed, "cache \"" + self->parts_.name +
                                                     "\": no answer within the load timeout from " +
                                                     self->parts_.source->describe()});
      }));
  parts_.source->load(std::move(keys), [load](std::vector<Loaded<Value>> results) {
    load->end(std::move(results));
  });
}

template <class Key, class Value>
void CacheCore<Key, Value>::land(const FlightPtr& flight, Loaded<Value> result, Duration cost) {
  Handle<Value> value;
  if (result && *result) value = hold(std::move(**result));

  typename Table::Landing landing;
  {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    landing = shard.flights.land(flight);
    if (landing.may_fill && result) fill(flight, value, cost);
  }
  if (result && !landing.may_fill) discarded_.fetch_add(1, std::memory_order_relaxed);

  const AnswerType answer = !result ? AnswerType{result.error(), Origin::kSource}
                            : value ? AnswerType{value, Origin::kSource}
                                    : AnswerType{Origin::kSource};
  for (const Waiter& waiter : landing.waiters) waiter.call->answer(waiter.index, answer);
  if (landing.next) start({std::move(landing.next)});
}

template <class Key, class Value>
void CacheCore<Key, Value>::fill(const FlightPtr& flight, const Handle<Value>& value,
                                 Duration cost) {
  std::optional<EntryInfo> info = freshness_.absence(flight->began(), random());
  if (value) info = freshness_.value(flight->began(), flight->ttl(), random());
  if (!info) {  // an absence that is not kept: but what was there is no longer true
    parts_.tier->erase(flight->key(), now());
    return;
  }
  info->load_cost = cost;
  info->space = parts_.space;
  // A value too large for the tier is not kept; its readers get it all the same.
  store(flight->key(), value, *info);
}

}  // namespace larder::detail
