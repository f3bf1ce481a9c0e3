// Times to live as commands give them: seconds or milliseconds, from now or since
// 1970, in Redis's ranges and words.
//
// Threads: pure functions but for the wall clock, which absolute times ask.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/entry.hpp"

namespace larder::commands {

struct TimeUnit {
  std::int64_t milliseconds;  // in one
  bool since_epoch = false;
};
inline constexpr TimeUnit kSeconds{1000};
inline constexpr TimeUnit kMilliseconds{1};
inline constexpr TimeUnit kUnixSeconds{1000, true};
inline constexpr TimeUnit kUnixMilliseconds{1, true};

// Longer lives are cut to this: no entry lives for ever.
inline constexpr std::chrono::hours kLongestLife{24 * 365 * 100};

// What is left to live; negative if the time is past. None when the number is out
// of Redis's range.
[[nodiscard]] inline std::optional<Duration> to_life(std::int64_t amount, TimeUnit unit) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (amount > kMost / unit.milliseconds || amount < -(kMost / unit.milliseconds)) {
    return std::nullopt;
  }
  std::int64_t left = amount * unit.milliseconds;
  const auto epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(epoch).count();
  if (unit.since_epoch) {
    left = left < std::numeric_limits<std::int64_t>::min() + now ? -1 : left - now;
  } else if (left > kMost - now) {
    return std::nullopt;
  }
  constexpr std::int64_t kLongest = std::chrono::milliseconds{kLongestLife}.count();
  return std::chrono::milliseconds{std::clamp(left, -kLongest, kLongest)};
}

// Lets `info` live so long from `now`, to the moment.
inline void live(EntryInfo& info, Duration life, TimePoint now) {
  info.fresh_until = info.usable_until = now + life;
}

[[nodiscard]] inline std::string invalid_expire_time(std::string_view command) {
  return "ERR invalid expire time in '" + std::string{command} + "' command";
}

}  // namespace larder::commands
