// A type byte, a decimal number and CRLF: `$16\r\n`, the most written line.
//
// Threads: pure functions.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>

namespace larder::resp {

// What write_number_line() needs at most: type, sign, 19 digits, CRLF.
inline constexpr std::size_t kNumberLine = 23;

// Writes the line at `out` and returns its end.
// REQUIRES: room for kNumberLine bytes.
inline char* write_number_line(char* out, char type, std::integral auto number) {
  *out++ = type;
  if (number >= 0 && number < 10) {
    *out++ = static_cast<char>('0' + number);
  } else {
    out = std::to_chars(out, out + kNumberLine - 3, number).ptr;
  }
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

}  // namespace larder::resp
