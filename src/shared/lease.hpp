// The lease protocol: which steps on a key of the shared tier keep every copy true, and
// let one process of many ask the source. docs/decisions/lease-protocol.md has the search
// behind it; tests/model/lease.pml is the model.
//
// Each step is one script on one key, here for Redis. This type says what is sent and
// what a reply means; redis_tier carries it out.
//
// Pure logic: no I/O, no clock. Threads: pure functions and plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "resp/reply_decoder.hpp"
#include "shared/envelope.hpp"

namespace larder::shared {

enum class Step : std::uint8_t {
  kAcquire,
  kExtend,
  kFill,
  kFail,
  kRelease,
  kInvalidate,
  kMark,
  kFinish,
  kClear,
  kTakePermits,
  kGivePermit,
};
inline constexpr std::size_t kSteps = 11;

// A script, in Lua, and its name for EVALSHA: the SHA-1 of its text in hexadecimal.
struct Script {
  std::string text;
  std::string sha;
};
[[nodiscard]] const Script& script(Step step);

// What is told to the other processes, in the same script.
struct Announce {
  std::string stream{};   // of one server; or …
  std::string channel{};  // … of a cluster's bucket
  std::string own;        // who tells it
  std::string cache;
  std::string key{};  // as its cache names it
};

// A script with what it is given; the key is its only one, but for the stream of
// announcements.
struct Call {
  Step step;
  std::string key;
  std::vector<std::string> arguments;
  std::string stream{};  // empty: none

  // Whether another text of the same may be sent later, if the server does not know the
  // script by name. What other steps of this process must not overtake goes as its text.
  [[nodiscard]] bool by_name() const;
  // EVALSHA or EVAL and all behind it; points into this.
  [[nodiscard]] std::vector<std::string_view> command(bool by_name) const;
};

// What a reader wants of a key.
enum class Want : std::uint8_t {
  kCopy,     // a value that may be believed, or the lease
  kAnew,     // the lease, or the right to refresh what is there
  kReplace,  // as kCopy, but the value that is there was not believed
};

// What a reader found.
struct Found {
  enum class Kind : std::uint8_t {
    kNothing,   // no value of this stamp; the lease is free
    kValue,     // `bytes`, `left`
    kAcquired,  // the lease is this reader's now, or the refresh
    kLease,     // another's; it ends in `left` unless it is extended
    kMarker,    // somebody writes: ask the source and keep nothing
    kFailure,   // the load of the one who had the lease failed: `error`, `fingerprint`
  };
  Kind kind = Kind::kNothing;
  std::string bytes{};
  Duration left{};
  Error error{};
  std::uint64_t fingerprint = 0;  // of the load that failed
};

// What PTTL and GET say together. A value is not opened yet.
[[nodiscard]] Found found(const resp::Reply& pttl, resp::Reply&& value);

[[nodiscard]] Call acquire(std::string key, const Stamp& stamp, std::string_view token,
                           Duration lease, Want want);
[[nodiscard]] Found acquired(resp::Reply&& reply);

// The others' replies: whether the step did what it says; an integer.
[[nodiscard]] Call extend(std::string key, std::string_view token, Duration lease);
// `value` as seal() gives it; `left` of its life, at least 1 ms. What was filled is announced.
[[nodiscard]] Call fill(std::string key, std::string_view token, std::string value, Duration left,
                        std::optional<Announce> announce = {});
// The failure of a load with that fingerprint.
[[nodiscard]] Call fail(std::string key, std::string_view token, std::uint64_t fingerprint,
                        const Error& error, Duration left);
[[nodiscard]] Call release(std::string key, std::string_view token);
[[nodiscard]] Call invalidate(std::string key, std::optional<Announce> announce = {});
// Gives a cache another generation; `key` is where that stands.
[[nodiscard]] Call clear(std::string key, std::string generation, Announce announce);
// A writer's mark, for so long; again with the same token: from now on so long.
[[nodiscard]] Call mark(std::string key, std::string_view token, Duration life,
                        std::optional<Announce> announce = {});
// `value` empty: none is to be kept. The reply: whether it was.
[[nodiscard]] Call finish(std::string key, std::string_view token, std::string value, Duration left,
                          std::optional<Announce> announce = {});

// Permits to load, of which there are so many; `key` is where they stand. The reply: how many of
// the tokens, from the first on, are permits now.
[[nodiscard]] Call take_permits(std::string key, unsigned most, Duration life,
                                const std::vector<std::string>& tokens);
[[nodiscard]] Call give_permit(std::string key, std::string_view token);

}  // namespace larder::shared
