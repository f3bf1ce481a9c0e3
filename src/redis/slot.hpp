// Which of a cluster's 16,384 slots a key is in: CRC16 of the key, or of what stands
// between its first { and the next }, if that is not empty (Redis Cluster's
// specification, "Hash tags").
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::redis {

inline constexpr std::uint16_t kSlots = 16'384;

// Below kSlots.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

}  // namespace larder::redis
