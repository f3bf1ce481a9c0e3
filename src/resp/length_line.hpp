// The number after a type byte, `3\r\n` of `$3\r\n`: lengths and counts on the
// wire. One pass, no copy; the hottest few lines of the codec
// (bench/resp).
//
// Threads: pure functions.
#pragma once

#include <cstdint>

namespace larder::resp {

enum class LengthLine : std::uint8_t {
  kWhole,
  kCut,  // fine as far as it goes; the rest has not arrived
  kBad,  // whatever comes, it will never be a number
};

// Reads a decimal number and its CRLF at `at`, before `end`. On kWhole `at` is
// moved past the CRLF; otherwise nothing changes.
//
// As Redis's string2ll: no sign but '-', no leading zero, no "-0", no blank. At
// most 18 digits, which is more than any limit allows.
inline LengthLine read_length(const char*& at, const char* end, std::int64_t& number) {
  const char* p = at;
  if (p == end) return LengthLine::kCut;
  const bool negative = *p == '-';
  if (negative && ++p == end) return LengthLine::kCut;

  const char* const first = p;
  std::int64_t value = 0;
  for (; p != end; ++p) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*p)) - '0';
    if (digit > 9) break;
    if (p - first == 18) return LengthLine::kBad;
    value = value * 10 + digit;
  }
  const bool starts_with_zero = p != first && *first == '0';
  if (starts_with_zero && (negative || p - first > 1)) return LengthLine::kBad;
  if (p == end) return LengthLine::kCut;
  if (p == first || *p != '\r') return LengthLine::kBad;
  if (p + 1 == end) return LengthLine::kCut;
  if (p[1] != '\n') return LengthLine::kBad;

  number = negative ? -value : value;
  at = p + 2;
  return LengthLine::kWhole;
}

}  // namespace larder::resp
