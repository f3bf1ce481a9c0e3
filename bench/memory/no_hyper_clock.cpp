// Where librocksdb-dev is not installed.
#include "contenders.hpp"

namespace larder::bench {

struct HyperClock::State {};

bool HyperClock::available() { return false; }
HyperClock::HyperClock(std::uint64_t) {}
HyperClock::~HyperClock() = default;
std::optional<std::uint64_t> HyperClock::read(std::uint64_t) { return std::nullopt; }
void HyperClock::put(std::uint64_t, const Value&) {}
std::uint64_t HyperClock::entries() const { return 0; }

}  // namespace larder::bench
