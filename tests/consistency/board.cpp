#include "consistency/board.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <thread>

namespace larder::consistency {

namespace {

std::int64_t count(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint time_of(std::int64_t count) { return TimePoint{Duration{count}}; }
std::int64_t milliseconds(Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

}  // namespace

// ---- What a process says of itself. ----

void Presence::say(TimePoint now) {
  const std::int64_t before = last_.exchange(count(now));
  if (now - time_of(before) <= kGap) return;
  Gap& gap = gaps_[count_ % kRemembered];
  gap.begin = before;
  gap.end = count(now);
  ++count_;
}

std::optional<TimePoint> Presence::first(TimePoint from) const {
  if (time_of(last_) < from) return std::nullopt;
  for (const Gap& gap : gaps_) {
    if (time_of(gap.begin) < from && from < time_of(gap.end)) return time_of(gap.end);
  }
  return from;
}

Duration Presence::absent(TimePoint from, TimePoint now) const {
  Duration sum{};
  for (const Gap& gap : gaps_) {
    if (gap.begin != 0 && time_of(gap.end) > from) sum += time_of(gap.end) - time_of(gap.begin);
  }
  const Duration since = now - time_of(last_);
  return since > kGap ? sum + since : sum;
}

// ---- The board. ----

Board& Board::create() {
  void* const memory =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error{"no shared memory"};
  return *::new (memory) Board;
}

void Board::acknowledge(std::size_t key, std::uint64_t version, std::size_t process, bool told) {
  Acknowledged& place = keys_[key].acknowledged[version % kRemembered];
  place.at = count(std::chrono::steady_clock::now());
  place.process = process;
  place.told = told;
  place.version = version;
  ++writes;
}

void Board::present(std::size_t process, bool told) {
  const TimePoint now = std::chrono::steady_clock::now();
  runs_[process].say(now);
  if (told) has_told_[process].say(now);
}

void Board::come_to(Step step, std::size_t process) {
  if (hold_at_[process] != step) return;
  ++holding_[process];
  while (hold_at_[process] == step) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  --holding_[process];
}

void Board::hold_at(Step step, std::size_t process) { hold_at_[process] = step; }

// What a process has handed on is confirmed after a timeout, or known to be untold.
Board::Overtaken Board::overtaken(std::size_t key, std::uint64_t version) const {
  Overtaken first;
  const auto take = [](std::optional<TimePoint>& least, TimePoint at) {
    if (!least || at < *least) least = at;
  };
  const std::uint64_t now = keys_[key].truth;
  const std::uint64_t last = std::min(now, version + kRemembered / 2);
  for (std::uint64_t later = version + 1; later <= last; ++later) {
    const Acknowledged& place = keys_[key].acknowledged[later % kRemembered];
    if (place.version != later) continue;
    const TimePoint at = time_of(place.at);
    take(first.acknowledged, at);
    if (place.told) {
      take(first.told, at);
      continue;
    }
    if (killed_[place.process]) continue;
    const auto told = has_told_[place.process].first(at + kTimeout);
    if (told) take(first.told, *told);
  }
  return first;
}

void Board::judge(const Read& read) {
  const auto& [key, version, own, began, process, vouched] = read;
  ++reads;
  if (version > truth(key) || version == 0) {
    ++from_nowhere;
    return;
  }
  if (version < own) {
    std::fprintf(stderr, "consistency: key %zu: read %lu after an own write of %lu\n", key,
                 static_cast<unsigned long>(version), static_cast<unsigned long>(own));
    ++not_own;
  }
  const Overtaken first = overtaken(key, version);
  if (!first.acknowledged || began <= *first.acknowledged) return;
  const Duration unseen = began - *first.acknowledged;
  const auto whole = static_cast<std::size_t>(milliseconds(unseen));
  ++stale_[std::min(whole, kMostMilliseconds)];

  // What this process slept, it could not hear in. Where memory is believed as long as others
  // are heard, that is no excuse.
  const Duration slept =
      runs_[process].absent(began - kMemoryTtl - kTimeout, std::chrono::steady_clock::now());
  const Duration excused = vouched ? Duration::zero() : slept;
  const Duration since_told = first.told ? began - *first.told - excused : Duration::zero();
  auto& after_told = after_told_[vouched ? 1 : 0];
  std::int64_t most = after_told;
  while (most < since_told.count() && !after_told.compare_exchange_weak(most, since_told.count())) {
  }
  const Duration memory = vouched.value_or(kMemoryTtl);
  if (unseen > kTtl + kSlack + slept || since_told > memory + kTimeout + kSlack) {
    std::fprintf(
        stderr, "consistency: key %zu: a write was not seen for %ld ms, %ld ms after it was told\n",
        key, static_cast<long>(whole), static_cast<long>(milliseconds(since_told)));
    ++too_late;
  }
}

std::uint64_t Board::stale_reads() const {
  std::uint64_t sum = 0;
  for (const auto& each : stale_) sum += each;
  return sum;
}

std::chrono::milliseconds Board::staleness(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(stale_reads()));
  std::uint64_t sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < stale_.size(); ++i) {
    if (stale_[i] == 0) continue;
    last = i;
    sum += stale_[i];
    if (sum >= wanted && share < 1) break;
  }
  return std::chrono::milliseconds{last};
}

std::chrono::milliseconds Board::after_told(bool long_memory) const {
  return std::chrono::ceil<std::chrono::milliseconds>(Duration{after_told_[long_memory ? 1 : 0]});
}

}  // namespace larder::consistency
