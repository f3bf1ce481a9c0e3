#include "consistency/board.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>

namespace larder::consistency {

namespace {

std::int64_t count(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint time_of(std::int64_t count) { return TimePoint{Duration{count}}; }

}  // namespace

Board& Board::create() {
  void* const memory =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error{"no shared memory"};
  return *::new (memory) Board;
}

void Board::acknowledge(std::size_t key, std::uint64_t version, std::size_t process) {
  Acknowledged& place = keys_[key].acknowledged[version % kRemembered];
  place.at = count(std::chrono::steady_clock::now());
  place.process = process;
  place.version = version;
  ++writes;
}

std::optional<TimePoint> Board::overtaken(std::size_t key, std::uint64_t version, By by) const {
  std::optional<TimePoint> first;
  const std::uint64_t now = keys_[key].truth;
  const std::uint64_t last = std::min(now, version + kRemembered / 2);
  for (std::uint64_t later = version + 1; later <= last; ++later) {
    const Acknowledged& place = keys_[key].acknowledged[later % kRemembered];
    if (place.version != later) continue;
    if (by == By::kNotKilled && killed_[place.process]) continue;
    const TimePoint at = time_of(place.at);
    if (!first || at < *first) first = at;
  }
  return first;
}

void Board::judge(std::size_t key, std::uint64_t version, std::uint64_t own, TimePoint began) {
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
  const auto stale = [&](By by) {
    const auto since = overtaken(key, version, by);
    return since ? std::max(began - *since, Duration::zero()) : Duration::zero();
  };
  const Duration by_any = stale(By::kAny);
  if (by_any == Duration::zero()) return;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(by_any).count();
  ++stale_[std::min<std::size_t>(static_cast<std::size_t>(whole), kMostMilliseconds)];
  if (by_any > kTtl + kSlack || stale(By::kNotKilled) > kMemoryTtl + kTimeout + kSlack) {
    std::fprintf(stderr, "consistency: key %zu: a write was not seen for %ld ms\n", key,
                 static_cast<long>(whole));
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

}  // namespace larder::consistency
