#include "demo/workload.hpp"

namespace larder::demo {

Result<Measured> merge(std::span<const Result<Measured>> shares, Duration took,
                       const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Errc::kCancelled, "the run was called off");
  Measured all;
  all.took = took;
  for (const Result<Measured>& share : shares) {
    if (!share) return std::unexpected{share.error()};
    all.pages += share->pages;
    all.latencies.merge(share->latencies);
    all.serving += share->serving;
    all.viewing += share->viewing;
  }
  return all;
}

}  // namespace larder::demo
