// What stands in the shared tier may be anybody's: any bytes are a value that is sealed
// again alike, or are refused. The stamp and the checksum are mended first, so that what
// is behind them is reached.
#include <xxhash.h>

#include "fuzz/check.hpp"
#include "shared/envelope.hpp"

namespace larder {

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const shared::Stamp stamp{.run = 1, .fingerprint = 2, .generation = 3};
  const shared::EnvelopeOptions options{.most_body = {1 << 20}};
  const std::string plain{reinterpret_cast<const char*>(data), size};

  std::string mended = "V" + stamp.bytes() + std::string(shared::kTokenSize, '\0') + plain;
  const std::uint64_t checksum = XXH3_64bits(data, size);
  for (unsigned shift = 0; shift < 64; shift += 8) mended += static_cast<char>(checksum >> shift);

  (void)shared::open(plain, stamp, options);
  if (const auto envelope = shared::open(mended, stamp, options)) {
    require(!envelope->body || envelope->body->size() <= 1 << 20, "no more than is allowed");
    const auto again = shared::open(shared::seal(stamp, *envelope, options), stamp, options);
    require(again.has_value() && *again == *envelope, "what was believed is sealed again alike");
  }
  return 0;
}

}  // namespace larder
