// Whether a source answers, as far as its loads tell, and since when.
//
// Threads: any. Owned by the assembled source and by what reads from it.
#pragma once

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

class SourceState {
 public:
  // Well from now on: it was opened.
  explicit SourceState(const Clock& clock) : clock_{clock}, since_{clock.now()} {}

  // What a load came to. One that was called off, or not tried, tells nothing.
  void answered() LARDER_EXCLUDES(mutex_) { become(true); }
  void failed() LARDER_EXCLUDES(mutex_) { become(false); }

  struct Standing {
    bool well = true;    // its last load was answered
    Duration lasting{};  // for so long
  };
  [[nodiscard]] Standing standing() const LARDER_EXCLUDES(mutex_);

 private:
  void become(bool well) LARDER_EXCLUDES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  bool well_ LARDER_GUARDED_BY(mutex_) = true;
  TimePoint since_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
