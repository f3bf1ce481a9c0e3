// What became of a value that was to be stored in memory.
#pragma once

#include <cstdint>
#include <string>

#include "larder/units.hpp"

namespace larder {

enum class PutOutcome : std::uint8_t { kStored, kTooLarge, kNoMemory };

// Why a value was not stored, for a message; `largest` is what an entry may take.
// REQUIRES: `outcome` is not kStored.
[[nodiscard]] std::string why_not_stored(PutOutcome outcome, ByteCount largest);

}  // namespace larder
