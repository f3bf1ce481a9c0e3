#include "larder/put_outcome.hpp"

namespace larder {

std::string why_not_stored(PutOutcome outcome, ByteCount largest) {
  if (outcome == PutOutcome::kNoMemory) return "memory has no room for the value now";
  return "the value is too large: the memory tier takes entries of at most " +
         std::to_string(largest.bytes) + " bytes, overhead included, with its capacity";
}

}  // namespace larder
