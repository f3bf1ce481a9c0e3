// The answers of a Memcached server: those of the meta commands, and of `version` and
// `stats`.
//
// Pure logic: no I/O. Threads: pure functions and plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/units.hpp"

namespace larder::memcached {

struct MetaReply {
  enum class Kind : std::uint8_t {
    kDone,       // HD
    kValue,      // VA: `text` is the item's value
    kMiss,       // EN: mg found nothing
    kNotStored,  // NS: there is an item, or there is none, against the mode
    kExists,     // EX: the item is another than the one whose CAS was given
    kNotFound,   // NF: there is no item
    kVersion,    // VERSION: `text`
    kStat,       // STAT: `text` is name, space and value
    kEnd,        // END: of stats
    kError,      // ERROR, CLIENT_ERROR, SERVER_ERROR: `text` is the whole line
  };
  Kind kind = Kind::kDone;
  std::string text{};
  // What flags have asked for; nothing where they have not.
  std::uint64_t cas = 0;                       // which no other state of the item has
  std::optional<std::chrono::seconds> left{};  // of its life; none: without end, or not asked
  bool stale = false;                          // X: invalidated, and not set since

  [[nodiscard]] bool is_error() const { return kind == Kind::kError; }
  friend bool operator==(const MetaReply&, const MetaReply&) = default;
};

struct MetaLimits {
  std::size_t most_line = 2048;  // bytes, without its end
  ByteCount most_value{1ULL << 30};
};

struct DecodedReply {
  enum class Outcome : std::uint8_t { kReply, kNeedMore, kError };
  Outcome outcome = Outcome::kNeedMore;
  std::size_t consumed = 0;  // bytes; 0 unless there is a reply
  MetaReply reply{};
  std::string error{};  // half a sentence
};

// The reply at the front of `bytes`. Whatever the bytes are: one reply, the word that more
// are needed, or an error behind which nothing can be understood. O(the line, or the reply).
[[nodiscard]] DecodedReply decode_reply(std::string_view bytes, const MetaLimits& limits = {});

}  // namespace larder::memcached
