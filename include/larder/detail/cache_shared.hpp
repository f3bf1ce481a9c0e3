// The way of a read through the shared tier: ask it, take a copy, or go on to the source
// with the right to fill it, and settle that afterwards.
//
// A part of CacheCore; cache_core.hpp says what holds for all of it. That the shared tier
// is told of an invalidation under the shard's lock, before the flights are doomed, is why
// no copy from before it can land: who asks later is behind it, who asked before is doomed.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/detail/cache_core.hpp"

namespace larder::detail {

// The flights' epoch is fixed here: what they take from the shared tier may be as old as
// this.
template <class Key, class Value>
void CacheCore<Key, Value>::ask_shared(std::vector<FlightPtr> flights) {
  std::vector<SharedCopies::Key> keys;
  std::erase_if(flights, [&](const FlightPtr& flight) {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    if (!shard.flights.take_off(flight, now())) return true;
    keys.push_back({.key = parts_.shared.key(flight->key()), .anew = flight->anew()});
    return false;
  });
  if (flights.empty()) return;
  parts_.shared.copies->read(
      std::move(keys),
      [self = this->shared_from_this(), asked = std::move(flights)](SharedCopies::Answers answers) {
        self->take_shared(asked, std::move(answers));
      });
}

template <class Key, class Value>
void CacheCore<Key, Value>::take_shared(const std::vector<FlightPtr>& asked,
                                        SharedCopies::Answers answers) {
  std::vector<FlightPtr> missing;
  for (auto& [index, answer] : answers) {
    const FlightPtr& flight = asked[index];
    if (answer.kind == SharedAnswer::Kind::kFailure) {
      land(flight, Loaded<Value>{std::unexpected{std::move(answer.error)}}, {});
      continue;
    }
    if (answer.kind == SharedAnswer::Kind::kCopy && land_copy(flight, std::move(answer.copy))) {
      continue;
    }
    {
      Shard& shard = shard_of(flight->key());
      const MutexLock lock{shard.mutex};
      flight->hold(std::move(answer.lease));
    }
    missing.push_back(flight);
  }
  if (!missing.empty()) load(std::move(missing));
}

// False: the copy's bytes are no value, and the source is to be asked.
template <class Key, class Value>
bool CacheCore<Key, Value>::land_copy(const FlightPtr& flight, SharedCopy copy) {
  Handle<Value> value;
  if (copy.bytes) {
    Result<Value> decoded = parts_.shared.decode(std::move(*copy.bytes));
    if (!decoded) return false;
    value = hold(std::move(*decoded));
  }
  shared_hits_.fetch_add(1, std::memory_order_relaxed);

  typename Table::Landing landing;
  {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    const TimePoint asked = flight->began();
    const TimePoint until = asked + copy.left;
    landing = shard.flights.land(flight);
    if (landing.may_fill) {
      fill(flight, value,
           EntryInfo{.filled_at = asked - copy.age,
                     .fresh_until = until,
                     .usable_until = until,
                     .load_cost = copy.load_cost,
                     .absent = value == nullptr,
                     .space = parts_.space});
    }
  }
  answer(landing, value ? AnswerType{value, Origin::kShared, copy.age}
                        : AnswerType{Origin::kShared, copy.age});
  if (landing.next) start({std::move(landing.next)});
  return true;
}

// A load under a lease has ended.
template <class Key, class Value>
void CacheCore<Key, Value>::settle(SharedLease lease, bool may_fill, const Loaded<Value>& result,
                                   const Handle<Value>& value,
                                   const std::optional<EntryInfo>& life) {
  SharedCopies& copies = *parts_.shared.copies;
  if (!result) {
    // What this process could not do, another may.
    const Errc code = result.error().code;
    const bool of_the_source = code == Errc::kSourceFailed || code == Errc::kBadValue;
    return of_the_source ? copies.fail(std::move(lease), result.error())
                         : copies.release(std::move(lease));
  }
  if (!may_fill || !life) return copies.release(std::move(lease));
  std::optional<std::string> bytes;
  if (value) {
    try {
      bytes = parts_.shared.encode(*value);
    } catch (const Failure&) {  // it cannot be said in the codec's format
      return copies.release(std::move(lease));
    }
  }
  copies.fill(std::move(lease), bytes ? std::optional<std::string_view>{*bytes} : std::nullopt,
              life->usable_until - life->filled_at, now() - life->filled_at);
}

}  // namespace larder::detail
