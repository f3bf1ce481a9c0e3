#include "server/source_state.hpp"

#include <chrono>
#include <utility>

namespace larder {
namespace {

constexpr std::chrono::seconds kBetweenTellings{10};

}  // namespace

SourceState::Standing SourceState::standing() const {
  const MutexLock lock{mutex_};
  return {.well = well_, .lasting = clock_.now() - since_};
}

void SourceState::become(bool well, std::string_view why) {
  {
    const MutexLock lock{mutex_};
    if (well == well_) return;
    well_ = well;
    since_ = clock_.now();
    if (!to_be_told(well)) return;
  }
  if (!tell_) return;
  const std::string source = "source " + name_;
  if (well) return tell_(true, source + " answers again");
  tell_(false, source + " fails: " + std::string{why});
}

bool SourceState::to_be_told(bool well) {
  if (well) return std::exchange(told_failing_, false);
  const TimePoint now = clock_.now();
  if (last_told_ && now - *last_told_ < kBetweenTellings) return false;
  last_told_ = now;
  told_failing_ = true;
  return true;
}

}  // namespace larder
