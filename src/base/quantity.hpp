// Durations and sizes as people write them: "250ms", "1h30m", "64MiB".
//
// A number never stands without its unit, so nobody has to guess whether 300 is
// seconds or milliseconds. The exact forms printed here are read back as the
// same quantity.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/units.hpp"

namespace larder {

// One or more numbers with units, the largest unit first and each once: ns, us,
// ms, s, m, h, d. A number may have a decimal fraction ("1.5s"). Nothing is
// rounded: finer than a nanosecond, or longer than 292 years, is an error. The
// errors (kInvalidArgument) are halves of a sentence that say what was meant:
// `has no unit; "300" could be "300s" or "300ms"`.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// One number with its unit: B; KiB, MiB, GiB, TiB (1024); kB or KB, MB, GB, TB
// (1000). A decimal fraction must come to whole bytes ("1.5GiB"). Errors as above.
[[nodiscard]] Result<ByteCount> parse_bytes(std::string_view text);

// Exact, and read back as the same: "1h30m", "250ms", "0s". A negative duration,
// which no setting has, gets a leading '-'.
[[nodiscard]] std::string format_duration(Duration duration);

// For reading at a glance, three digits: "1.23s", "412us", "1h30m", "3d4h".
[[nodiscard]] std::string approximate_duration(Duration duration);

// Exact, and read back as the same: in the largest unit that divides it.
[[nodiscard]] std::string format_bytes(ByteCount size);

}  // namespace larder
