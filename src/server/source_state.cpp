#include "server/source_state.hpp"

namespace larder {

SourceState::Standing SourceState::standing() const {
  const MutexLock lock{mutex_};
  return {.well = well_, .lasting = clock_.now() - since_};
}

void SourceState::become(bool well) {
  const MutexLock lock{mutex_};
  if (well == well_) return;
  well_ = well;
  since_ = clock_.now();
}

}  // namespace larder
