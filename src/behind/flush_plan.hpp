// Which keys of one cache are flushed when: in batches of many, each key in one batch at a
// time, and again after a failure, later each time.
//
// What fails tells whose fault it is by its company. Where all of a batch fail the source is
// taken to be down: everything waits, longer after each failure, and then goes as before.
// Where some fail and others do not, those rest by themselves and are sent alone, so that a
// row that is always locked keeps nobody but itself waiting.
//
// Pure logic: no thread, no I/O; the caller passes `now` and random numbers, and looks
// again at next_look().
//
// Threads: none; guarded by the lock of whoever owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/backoff.hpp"
#include "larder/clock.hpp"

namespace larder::behind {

struct FlushOptions {
  // Behaviour.
  Duration delay = std::chrono::milliseconds{10};  // that a write waits for others to go with
  BackoffOptions backoff{.least = std::chrono::milliseconds{50}, .most = std::chrono::seconds{10}};
  // Speed.
  std::size_t batch = 256;  // keys that go together, at most; at least 1
  unsigned at_once = 4;     // batches that are out at a time; at least 1
};

class FlushPlan {
 public:
  explicit FlushPlan(FlushOptions options) : options_{options}, source_backoff_{options.backoff} {}

  // A key has writes to flush. REQUIRES: it is neither waiting nor out.
  void add(std::string key, TimePoint now);

  // The keys of a batch that goes out now; empty: none does. REQUIRES of the caller: it ends
  // with exactly one ended().
  [[nodiscard]] std::vector<std::string> take(TimePoint now);
  // When to look again, should nothing else happen before; none: no need to.
  [[nodiscard]] std::optional<TimePoint> next_look() const;

  enum class Verdict : std::uint8_t {
    kSettled,  // in the source, or refused for good
    kAgain,    // in neither state that anybody knows of
  };
  struct Ended {
    std::string key;
    Verdict verdict;
    bool more = false;  // the key has further writes
  };
  // What became of a batch. `random` is uniform in [0, 1).
  void ended(std::vector<Ended> batch, TimePoint now, double random);

  // From now on no write waits for company, since somebody waits for the flush; and a source
  // that rests is asked once more at once.
  void hurry();

  // ---- About it. ----

  [[nodiscard]] std::uint64_t batches() const { return batches_; }  // taken, since the start
  [[nodiscard]] std::uint64_t retries() const { return retries_; }  // of keys
  [[nodiscard]] unsigned out() const { return out_; }               // batches
  // Since when all of every batch fails; none: it does not.
  [[nodiscard]] std::optional<TimePoint> failing_since() const { return failing_since_; }

 private:
  struct Waiting {
    std::string key;
    TimePoint due;
  };
  // A key that failed where others did not.
  using Suspects = std::unordered_map<std::string, Backoff>;

  [[nodiscard]] std::vector<std::string> take_suspect(TimePoint now);
  [[nodiscard]] bool may_send() const;
  void source_failed(TimePoint now, double random);

  const FlushOptions options_;
  std::deque<Waiting> waiting_;
  TimePoint due_ = TimePoint::max();  // of the earliest, while they are too few for a batch
  Suspects suspects_;                 // resting or out
  std::multimap<TimePoint, std::string> resting_;  // until then
  Backoff source_backoff_;
  std::optional<TimePoint> failing_since_;
  TimePoint rest_until_ = TimePoint::min();  // of the source
  bool hurry_ = false;
  unsigned out_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace larder::behind
