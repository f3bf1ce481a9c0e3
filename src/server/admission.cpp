#include "server/admission.hpp"

#include <algorithm>
#include <chrono>

#include "access/client_place.hpp"

namespace larder {

namespace {

constexpr Duration kBurst = std::chrono::seconds{1};

}  // namespace

bool Admission::Pace::allows(unsigned rate, TimePoint now) const {
  return rate == 0 || due <= now + kBurst - kBurst / rate;
}

void Admission::Pace::count(unsigned rate, TimePoint now) {
  if (rate != 0) due = std::max(due, now) + kBurst / rate;
}

Admission::Answer Admission::ask(const boost::asio::ip::address& address, TimePoint now) {
  if (on_unix_socket(address)) return {Verdict::kLetIn, {}};
  const std::uint64_t place = place_of(address);
  const MutexLock lock{mutex_};
  if (records_.size() >= tidy_at_) forget_idle(now);
  Record& record = records_[place];
  if (limits_.clients_per_address != 0 && record.open >= limits_.clients_per_address) {
    return {Verdict::kTooMany, {}};
  }
  if (!record.pace.allows(limits_.connection_rate, now)) return {Verdict::kTooFast, {}};
  if (!all_.allows(limits_.total_rate, now)) return {Verdict::kAllTooFast, {}};
  record.pace.count(limits_.connection_rate, now);
  all_.count(limits_.total_rate, now);
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
  std::erase_if(records_, [&](const auto& each) {
    return each.second.open == 0 && each.second.pace.due <= now;
  });
  tidy_at_ = std::max<std::size_t>(1024, 2 * records_.size());
}

}  // namespace larder
