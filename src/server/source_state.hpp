// Whether a source answers, as far as its loads tell, and since when; and how many statements it
// refuses, where that was not known when the server started.
//
// Threads: any. Owned by the assembled source and by what reads from it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

class SourceState {
 public:
  // Told that the source fails, and that it answers again: at most once each in ten
  // seconds, however often they take turns, so that the last word comes to be true.
  // Called by whoever reports, without a lock, one call at a time and in order.
  using Tell = std::function<void(bool well, const std::string& sentence)>;

  // Well from now on: it was opened. `name` is what `tell` calls it.
  explicit SourceState(const Clock& clock, std::string name = {}, Tell tell = {})
      : clock_{clock}, name_{std::move(name)}, tell_{std::move(tell)}, since_{clock.now()} {}

  // What a load, or an attempt to reach it, came to. One that was called off, or not tried, tells
  // nothing.
  void answered() LARDER_EXCLUDES(mutex_) { become(true, {}); }
  void failed(std::string_view why = {}) LARDER_EXCLUDES(mutex_) { become(false, why); }

  // So many statements, since it was reached; 0: none any more. It is well or not as before.
  void refuses(std::size_t statements) LARDER_EXCLUDES(mutex_);

  struct Standing {
    bool well = true;         // its last load was answered, or it was reached
    Duration lasting{};       // for so long
    std::size_t refused = 0;  // statements
  };
  [[nodiscard]] Standing standing() const LARDER_EXCLUDES(mutex_);

 private:
  struct Sentence {
    bool well = true;
    std::string text;
  };

  void become(bool well, std::string_view why) LARDER_EXCLUDES(mutex_);
  // Whether that it is `well` is worth telling; if so it counts as told.
  [[nodiscard]] bool to_be_told(bool well) LARDER_REQUIRES(mutex_);
  void tell() LARDER_EXCLUDES(mutex_);

  const Clock& clock_;
  const std::string name_;
  const Tell tell_;
  mutable Mutex mutex_;
  bool well_ LARDER_GUARDED_BY(mutex_) = true;
  TimePoint since_ LARDER_GUARDED_BY(mutex_);
  std::size_t refused_ LARDER_GUARDED_BY(mutex_) = 0;
  bool told_failing_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<TimePoint> last_told_ LARDER_GUARDED_BY(mutex_){};  // that it fails
  std::deque<Sentence> untold_ LARDER_GUARDED_BY(mutex_);
  bool telling_ LARDER_GUARDED_BY(mutex_) = false;  // somebody is, and goes on
};

}  // namespace larder
