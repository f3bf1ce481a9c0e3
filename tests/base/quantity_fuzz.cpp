// Durations and sizes: what is read is read again from its own print.
#include "base/quantity.hpp"
#include "fuzz/check.hpp"

namespace larder {

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  if (const auto duration = parse_duration(text)) {
    require(*duration >= Duration::zero(), "no negative duration");
    require(parse_duration(format_duration(*duration)) == duration, "a duration is read back");
    require(approximate_duration(*duration).size() < 16, "short at a glance");
  }
  if (const auto bytes = parse_bytes(text)) {
    require(parse_bytes(format_bytes(*bytes)) == bytes, "a size is read back");
  }
  return 0;
}

}  // namespace larder
