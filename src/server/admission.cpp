#include "server/admission.hpp"

#include <algorithm>
#include <chrono>

#include "access/client_place.hpp"

namespace larder {

namespace {

constexpr Duration kBurst = std::chrono::seconds{1};

}  // namespace

Admission::Answer Admission::ask(const boost::asio::ip::address& address, TimePoint now) {
  if (on_unix_socket(address)) return {Verdict::kLetIn, {}};
  const std::uint64_t place = place_of(address);
  const MutexLock lock{mutex_};
  if (records_.size() >= tidy_at_) forget_idle(now);
  Record& record = records_[place];
  if (limits_.clients_per_address != 0 && record.open >= limits_.clients_per_address) {
    return {Verdict::kTooMany, {}};
  }
  if (limits_.connection_rate != 0) {
    const Duration step = kBurst / limits_.connection_rate;
    if (record.due > now + kBurst - step) return {Verdict::kTooFast, {}};
    record.due = std::max(record.due, now) + step;
  }
  ++record.open;
  return {Verdict::kLetIn, Seat{shared_from_this(), place}};
}

void Admission::set_limits(AdmissionLimits limits) {
  const MutexLock lock{mutex_};
  limits_ = limits;
}

std::size_t Admission::remembered() const {
  const MutexLock lock{mutex_};
  return records_.size();
}

void Admission::leave(std::uint64_t place) {
  const MutexLock lock{mutex_};
  const auto found = records_.find(place);
  --found->second.open;
  if (found->second.open == 0 && limits_.connection_rate == 0) records_.erase(found);
}

void Admission::forget_idle(TimePoint now) {
  std::erase_if(records_,
                [&](const auto& each) { return each.second.open == 0 && each.second.due <= now; });
  tidy_at_ = std::max<std::size_t>(1024, 2 * records_.size());
}

}  // namespace larder
