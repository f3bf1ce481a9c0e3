// The writes of one cache that are acknowledged and not in the source yet, by key: what
// readers see of them, and what is to be written next.
//
// Reading. A value that the source gave is shown with all writes of its key over it that
// the source may not have had when it was read. A read takes time, and meanwhile writes
// come and are flushed. So whoever reads says when it begins, and what was pending then
// stays in sight for it, flushed or not: writing a row over with what it has been given
// already changes nothing, as long as every later write is laid over it too.
//
// Writing. One write of a key is out at a time, so that they arrive in their order. Where
// later writes say all that the first ones do (value_shape.hpp), the last of them goes for
// all. If the source refuses it, it is that one which is refused, and those before it are
// pending as they were.
//
// Bounded by what the journal takes. Pure logic: no clock, no thread, no I/O.
//
// Threads: none; guarded by the lock of whoever owns it.
#pragma once

#include <boost/container/devector.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "behind/value_shape.hpp"
#include "larder/clock.hpp"

namespace larder::behind {

// Where a write stands in the journal: later writes of a key have larger ones.
using Position = std::uint64_t;

class PendingWrites {
 public:
  explicit PendingWrites(ValueShape shape) : shape_{std::move(shape)} {}

  // A write was acknowledged; no value: a removal. It takes its place by its position among
  // those of its key that are not out. Returns whether the key had none pending.
  bool add(std::string_view key, Position position, std::optional<std::string> value,
           TimePoint now);

  // ---- Reading. ----

  // A read of a key's value begins. It ends with exactly one end_read().
  using Read = std::uint64_t;
  [[nodiscard]] Read begin_read(std::string_view key);
  // What it is to see, given what the source has: no value, there is no such row.
  [[nodiscard]] std::optional<std::string> seen(std::string_view key, Read read,
                                                std::optional<std::string> loaded) const;
  // The same without the source, where the writes say all. None: they do not.
  [[nodiscard]] std::optional<std::optional<std::string>> known(std::string_view key,
                                                                Read read) const;
  void end_read(std::string_view key, Read read);

  // ---- Writing. ----

  struct Step {
    std::optional<std::string> value;  // none: a removal
    Position position;                 // of the write itself, the last of those it stands for
  };
  // The next write of a key goes out. REQUIRES: some are pending, none is out.
  [[nodiscard]] Step send(std::string_view key);
  // It is in the source. The positions that it stood for.
  std::vector<Position> applied(std::string_view key);
  // The source refuses it for good: it alone is gone.
  void refused(std::string_view key);
  // It is not in the source, and shall be sent again.
  void returned(std::string_view key);

  [[nodiscard]] bool pending(std::string_view key) const;
  // How many are.
  [[nodiscard]] std::size_t count(std::string_view key) const;
  // When its next write was acknowledged. REQUIRES: pending(key).
  [[nodiscard]] TimePoint since(std::string_view key) const;

  // ---- About it. ----

  [[nodiscard]] std::size_t size() const { return times_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of keys and values pending
  [[nodiscard]] std::optional<TimePoint> oldest() const {
    if (times_.empty()) return std::nullopt;
    return times_.begin()->second;
  }

 private:
  struct Written {
    Position position;
    std::optional<std::string> value;
    std::shared_ptr<const Fields> fields;  // null: unknown, or a removal
    std::optional<Read> flushed{};  // before this read and after those with less; none: pending

    // Whether a source that was asked by `read` may not have had it.
    [[nodiscard]] bool counts_for(Read read) const { return !flushed || read < *flushed; }
  };
  struct OfKey {
    // Those flushed first, then those pending. Of most keys there is one.
    boost::container::devector<Written> writes{};
    std::size_t flushed = 0;    // of them
    std::size_t out = 0;        // of those pending, the first so many
    std::vector<Read> reads{};  // that have begun
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Keys = std::unordered_map<std::string, OfKey, Hash, std::equal_to<>>;

  [[nodiscard]] std::shared_ptr<const Fields> fields_of(const std::optional<std::string>& value);
  [[nodiscard]] std::size_t run(const OfKey& of_key) const;
  void take_leave(const Written& write, std::string_view key);
  // Forgets what no read may need any more, and the key when nothing is left.
  void tidy(Keys::iterator found);

  const ValueShape shape_;
  Keys keys_;
  std::map<Position, TimePoint> times_;  // of what is pending
  std::uint64_t bytes_ = 0;
  Read next_read_ = 1;
  std::shared_ptr<const Fields> last_fields_;  // most writes have the same
};

}  // namespace larder::behind
