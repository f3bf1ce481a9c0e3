// Times to live as commands give them: seconds or milliseconds, from now or since
// 1970, in Redis's ranges and words.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/entry.hpp"

namespace larder {
class Session;
}

namespace larder::commands {

struct TimeUnit {
  std::int64_t milliseconds;  // in one
  bool since_1970 = false;
};
inline constexpr TimeUnit kSeconds{1000};
inline constexpr TimeUnit kMilliseconds{1};
inline constexpr TimeUnit kUnixSeconds{1000, true};
inline constexpr TimeUnit kUnixMilliseconds{1, true};

// Longer lives are cut to this: no entry lives for ever.
inline constexpr std::chrono::hours kLongestLife{24 * 365 * 100};

// When a life ends, which may be in the past. None when the number is out of
// Redis's range.
[[nodiscard]] std::optional<TimePoint> end_of_life(Session& session, std::int64_t amount,
                                                   TimeUnit unit);

// Lets `info` live until then, to the moment.
inline void live_until(EntryInfo& info, TimePoint end) {
  info.fresh_until = info.usable_until = end;
}

[[nodiscard]] inline std::string invalid_expire_time(std::string_view command) {
  return "ERR invalid expire time in '" + std::string{command} + "' command";
}

}  // namespace larder::commands
