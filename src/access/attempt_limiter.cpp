#include "access/attempt_limiter.hpp"

#include <algorithm>
#include <cassert>

#include "access/client_place.hpp"

namespace larder {

Duration AttemptLimiter::wait(const Address& address, TimePoint now) const {
  const auto found = by_address_.find(place_of(address));
  if (found == by_address_.end()) return {};
  return std::max(Duration{}, found->second->not_before - now);
}

void AttemptLimiter::begin(const Address& address, TimePoint now) {
  assert(wait(address, now) == Duration{});
  Record& record = record_of(place_of(address), now);
  ++record.failures;
  record.last = now;
  record.not_before = now + wait_after(record.failures);
}

void AttemptLimiter::forgive(const Address& address) {
  const auto found = by_address_.find(place_of(address));
  if (found == by_address_.end() || found->second->failures == 0) return;
  Record& record = *found->second;
  --record.failures;
  record.not_before = record.last + wait_after(record.failures);
}

// Moves it to the front; a new one if there is none, or it is long ago.
AttemptLimiter::Record& AttemptLimiter::record_of(std::uint64_t address, TimePoint now) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) {
    if (records_.size() >= limits_.addresses) {
      by_address_.erase(records_.back().address);
      records_.pop_back();
    }
    records_.push_front({.address = address, .last = now, .not_before = now});
    by_address_.emplace(address, records_.begin());
    return records_.front();
  }
  records_.splice(records_.begin(), records_, found->second);
  Record& record = records_.front();
  if (now - record.last >= limits_.forgive) record.failures = 0;
  return record;
}

Duration AttemptLimiter::wait_after(std::uint32_t failures) const {
  if (failures <= limits_.free) return {};
  Duration wait = limits_.first_wait;
  for (std::uint32_t i = limits_.free + 1; i < failures && wait < limits_.longest_wait; ++i) {
    wait *= 2;
  }
  return std::min(wait, limits_.longest_wait);
}

}  // namespace larder
