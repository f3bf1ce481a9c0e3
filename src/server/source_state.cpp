#include "server/source_state.hpp"

#include <chrono>
#include <utility>

namespace larder {
namespace {

constexpr std::chrono::seconds kBetweenTellings{10};

}  // namespace

SourceState::Standing SourceState::standing() const {
  const MutexLock lock{mutex_};
  return {.well = well_, .lasting = clock_.now() - since_, .refused = refused_};
}

void SourceState::refuses(std::size_t statements) {
  const MutexLock lock{mutex_};
  refused_ = statements;
}

void SourceState::become(bool well, std::string_view why) {
  {
    const MutexLock lock{mutex_};
    if (well == well_ && (well || told_failing_)) return;
    if (well != well_) since_ = clock_.now();
    well_ = well;
    if (!to_be_told(well) || !tell_) return;
    const std::string source = "source " + name_;
    untold_.push_back(
        {well, well ? source + " answers again" : source + " fails: " + std::string{why}});
    if (std::exchange(telling_, true)) return;
  }
  tell();
}

void SourceState::tell() {
  while (true) {
    Sentence next;
    {
      const MutexLock lock{mutex_};
      telling_ = !untold_.empty();
      if (!telling_) return;
      next = std::move(untold_.front());
      untold_.pop_front();
    }
    tell_(next.well, next.text);
  }
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
