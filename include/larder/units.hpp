// Sizes in bytes, written as people write them: `64_MiB`.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace larder {

// A number of bytes. Converts to a plain number only by name, so that a count
// of entries is never taken for a size.
struct ByteCount {
  std::uint64_t bytes = 0;

  friend constexpr auto operator<=>(ByteCount, ByteCount) = default;
};

namespace literals {

constexpr ByteCount operator""_B(unsigned long long n) { return {n}; }
constexpr ByteCount operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr ByteCount operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr ByteCount operator""_GiB(unsigned long long n) { return {n << 30}; }

}  // namespace literals
}  // namespace larder
