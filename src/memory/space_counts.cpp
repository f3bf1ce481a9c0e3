#include "larder/detail/memory/space_counts.hpp"

namespace larder::detail {

void SpaceCounts::clear(Space space) {
  if (space >= counts_.size()) return;  // it has no entries
  begin();
  void_entries(space);
}

void SpaceCounts::clear() {
  begin();
  for (std::size_t space = 0; space < counts_.size(); ++space) {
    void_entries(static_cast<Space>(space));
  }
}

// Readers that come later look at generations from now on.
void SpaceCounts::begin() {
  ++unswept_;
  any_voided_.store(true, std::memory_order_seq_cst);
}

void SpaceCounts::void_entries(Space space) {
  generation_of(space).fetch_add(1, std::memory_order_acq_rel);
  counts_[space].entries = 0;
  counts_[space].bytes = 0;
  counts_[space].absences = 0;
}

}  // namespace larder::detail
