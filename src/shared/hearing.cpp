#include "shared/hearing.hpp"

#include <algorithm>
#include <utility>

namespace larder::shared {

std::shared_ptr<Hearing> Hearing::start(std::shared_ptr<Timers> timers,
                                        std::function<void()> drop) {
  std::shared_ptr<Hearing> hearing{new Hearing{std::move(timers), std::move(drop)}};
  const MutexLock lock{hearing->mutex_};
  hearing->tell();
  hearing->look_later();
  return hearing;
}

void Hearing::look_later() {
  timer_ = timers_->after(kSign, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
}

// Nobody may come and read, and yet somebody may hold copies that are to be recalled.
void Hearing::look() {
  const TimePoint now = timers_->now();
  if (!holds(now)) lapse(now);
  const MutexLock lock{mutex_};
  if (!closed_) look_later();
}

void Hearing::close() {
  const MutexLock lock{mutex_};
  closed_ = true;
  timer_.reset();
  // Caches may outlive it, and hear nothing any more.
  ears_.insert_or_assign(this,
                         Heard{.until = timers_->now() + kBound, .late = true, .deaf = false});
  tell();
}

// As far as memory was vouched for by others, it was for what comes through this one: it
// came through one of them.
void Hearing::expect(Ear ear) {
  const MutexLock lock{mutex_};
  const Duration::rep until = until_.load(std::memory_order_relaxed);
  Heard heard{.until = TimePoint{Duration{until}}};
  if (until != kForEver) heard.deaf = false;
  ears_.try_emplace(ear, heard);
  tell();
}

void Hearing::heard(Ear ear, TimePoint asked) {
  const MutexLock lock{mutex_};
  const auto found = ears_.find(ear);
  if (found == ears_.end()) return;
  const TimePoint until = asked + kBound;
  if (until <= timers_->now()) return;  // too late to be of use
  found->second = {.until = until, .late = false, .deaf = false};
  tell();
}

void Hearing::forget(Ear ear) {
  const MutexLock lock{mutex_};
  ears_.erase(ear);
  tell();
}

void Hearing::tell() {
  Duration::rep until = kForEver;
  bool late = ears_.empty();
  for (const auto& [ear, heard] : ears_) {
    late = late || heard.late;
    if (!heard.deaf) until = std::min(until, heard.until.time_since_epoch().count());
  }
  longest_.store(late ? Duration{kBound}.count() : kForEver, std::memory_order_release);
  until_.store(until, std::memory_order_release);
}

// What memory takes is to be short-lived before it is dropped, and believed only after.
void Hearing::lapse(TimePoint now) {
  const MutexLock one{lapsing_};
  if (holds(now)) return;
  std::map<Ear, TimePoint> overdue;
  {
    const MutexLock lock{mutex_};
    for (auto& [ear, heard] : ears_) {
      if (heard.deaf || heard.until >= now) continue;
      heard.late = true;
      overdue.emplace(ear, heard.until);
    }
    tell();
  }
  drop_();
  lapses_.fetch_add(1, std::memory_order_relaxed);
  const MutexLock lock{mutex_};
  for (const auto& [ear, until] : overdue) {
    const auto found = ears_.find(ear);
    if (found != ears_.end() && found->second.until == until) found->second.deaf = true;
  }
  tell();
}

}  // namespace larder::shared
