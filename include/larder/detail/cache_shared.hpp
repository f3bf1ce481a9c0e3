// The way of a read through the shared tier: ask it, take a copy, or go on to the source
// with the right to fill it, and settle that afterwards. And that of a write: mark its keys,
// and say what it left.
//
// A part of CacheCore; cache_core.hpp says what holds for all of it. That the shared tier
// is told of an invalidation under the shard's lock, before the flights are doomed, is why
// no copy from before it can land: who asks later is behind it, who asked before is doomed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/detail/cache_core.hpp"

namespace larder::detail {

// What is asked of the shared tier at a time. Whoever lets go of it without an answer has
// lost it, and its readers are told.
template <class Key, class Value>
class CacheCore<Key, Value>::Asked {
 public:
  Asked(std::shared_ptr<CacheCore> core, std::vector<FlightPtr> flights)
      : core_{std::move(core)}, flights_{std::move(flights)}, answered_(flights_.size()) {}
  ~Asked() {
    const Error dropped{Errc::kCancelled, "the shared tier dropped a read; is it shutting down?"};
    for (std::size_t i = 0; i < flights_.size(); ++i) {
      if (answered_[i] == 0) core_->land(flights_[i], Loaded<Value>{std::unexpected{dropped}}, {});
    }
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  // Concurrently for different indices.
  void take(SharedCopies::Answers answers) {
    std::vector<FlightPtr> flights;
    flights.reserve(answers.size());
    for (const auto& [index, answer] : answers) {
      answered_[index] = 1;
      flights.push_back(flights_[index]);
    }
    core_->take_shared(flights, std::move(answers));
  }

 private:
  const std::shared_ptr<CacheCore> core_;
  const std::vector<FlightPtr> flights_;
  std::vector<unsigned char> answered_;
};

// The flights' epoch is fixed here: what they take from the shared tier may be as old as
// this.
template <class Key, class Value>
void CacheCore<Key, Value>::ask_shared(std::vector<FlightPtr> flights) {
  std::vector<SharedCopies::Key> keys;
  std::erase_if(flights, [&](const FlightPtr& flight) {
    Shard& shard = shard_of(flight->key());
    const MutexLock lock{shard.mutex};
    const TimePoint at = now();
    const bool written = shard.marks.marked(flight->key(), at);
    if (!shard.flights.take_off(flight, at, written)) return true;
    keys.push_back({.key = parts_.shared.key(flight->key()), .anew = flight->anew()});
    return false;
  });
  if (flights.empty()) return;
  const auto asked = std::make_shared<Asked>(this->shared_from_this(), std::move(flights));
  parts_.shared.copies->read(
      std::move(keys), [asked](SharedCopies::Answers answers) { asked->take(std::move(answers)); });
}

// flights[i] is that of answers[i].

template <class Key, class Value>
void CacheCore<Key, Value>::take_shared(const std::vector<FlightPtr>& flights,
                                        SharedCopies::Answers answers) {
  std::vector<FlightPtr> missing;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const FlightPtr& flight = flights[i];
    SharedAnswer& answer = answers[i].second;
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
      if (answer.written) flight->found_written();
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
    std::optional<Value> decoded = parts_.shared.decoded(std::move(*copy.bytes));
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
      fill(flight->key(), value, asked,
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
void CacheCore<Key, Value>::settle(const FlightPtr& flight, SharedLease lease, bool may_fill,
                                   const Loaded<Value>& result, const Handle<Value>& value,
                                   const std::optional<EntryInfo>& life) {
  SharedCopies& copies = *parts_.shared.copies;
  if (!result) {
    // What this process could not do, another may.
    const Errc code = result.error().code;
    const bool of_the_source = code == Errc::kSourceFailed || code == Errc::kBadValue;
    return of_the_source ? copies.fail(std::move(lease), result.error())
                         : copies.release(std::move(lease));
  }
  if (!may_fill) return copies.release(std::move(lease));
  if (!life) return leave_nothing(flight, std::move(lease));
  std::optional<std::string> bytes;
  if (value && !(bytes = parts_.shared.encoded(*value)))
    return leave_nothing(flight, std::move(lease));
  const Duration lifetime = life->usable_until - life->filled_at;
  const Duration cost = now() - life->filled_at;
  if (lifetime <= cost) return leave_nothing(flight, std::move(lease));
  copies.fill(std::move(lease), bytes ? std::optional<std::string_view>{*bytes} : std::nullopt,
              lifetime, cost);
}

// What a load brought is not to be kept. Where it was to replace a copy, that is no longer true.
template <class Key, class Value>
void CacheCore<Key, Value>::leave_nothing(const FlightPtr& flight, SharedLease lease) {
  if (lease.anew) invalidate_shared(flight->key());
  parts_.shared.copies->release(std::move(lease));
}

// For so long a write's mark stands unless it is taken away: in that time the write waits for
// the writer, runs, and may land though nobody knows of it.
template <class Key, class Value>
Duration CacheCore<Key, Value>::longest_write() const {
  constexpr Duration kLongest = std::chrono::hours{24};
  const LoadLimits& limits = parts_.write_gate->limits();
  return std::min(limits.wait_timeout, kLongest) + std::min(limits.timeout, kLongest) +
         std::min(parts_.unknown_write, kLongest);
}

// The writer is asked when the shared tier has answered. Until then this process has the keys
// marked alone, so what others load meanwhile is from before, and goes with the mark.
template <class Key, class Value>
void CacheCore<Key, Value>::mark_shared(const WritingPtr& writing) {
  std::vector<std::string> keys;
  keys.reserve(writing->keys().size());
  for (const Key& key : writing->keys()) keys.push_back(parts_.shared.key(key));
  parts_.shared.copies->begin_write(
      std::move(keys), longest_write(),
      [self = this->shared_from_this(), writing](std::vector<SharedMark> marks) {
        self->marked_shared(writing, std::move(marks));
      });
}

template <class Key, class Value>
void CacheCore<Key, Value>::marked_shared(const WritingPtr& writing,
                                          std::vector<SharedMark> marks) {
  const bool all = std::ranges::all_of(marks, [](const SharedMark& mark) { return bool{mark}; });
  if (!writing->hold(marks)) {
    for (SharedMark& mark : marks) parts_.shared.copies->finish_write(std::move(mark), {});
    return;
  }
  if (all || parts_.on_shared_down == OnSharedDown::kWrite) return submit(writing);
  writing->fail_all({Errc::kOverloaded,
                     "cache \"" + parts_.name +
                         "\": the shared tier cannot be told of the write, so nothing was written "
                         "(on_shared_down is refuse); try again when it is there"});
}

// `life` none: nothing is to be kept.
template <class Key, class Value>
void CacheCore<Key, Value>::finish_shared(SharedMark mark, const Handle<Value>& value,
                                          const std::optional<EntryInfo>& life) {
  SharedCopies& copies = *parts_.shared.copies;
  if (!life) return copies.finish_write(std::move(mark), {});
  std::optional<std::string> bytes;
  if (value && !(bytes = parts_.shared.encoded(*value)))
    return copies.finish_write(std::move(mark), {});
  SharedFill kept{.lifetime = life->usable_until - life->filled_at,
                  .cost = now() - life->filled_at};
  if (bytes) kept.bytes = *bytes;
  copies.finish_write(std::move(mark), kept);
}

}  // namespace larder::detail
