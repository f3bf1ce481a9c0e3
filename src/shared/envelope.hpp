// What stands around a value in the shared tier: who may believe it, how long it lives,
// and a checksum. And the five things that a key may hold there.
//
//   byte 0      kind: V value, L lease, F failure, M write marker
//   V           stamp 24 · refresh token 16 · envelope
//   L           token 16
//   F           code 1 · fingerprint 8 · message
//   M           contended 1 ('0' or '1') · of each writer at work its token 16, and when its
//               time is up, in ms by the server's clock, 13 digits
//
// The stamp is run · fingerprint · generation, 8 bytes each: a value with another is
// nobody's, whatever else it says. It stands in front so that a script can compare it.
//
//   envelope    format 1 · flags 1 · lifetime 8 · load cost 8 · position 16 ·
//               tags (count, then length and bytes each) · size of the body · body ·
//               checksum 8
//
// Numbers of fixed size are little-endian; counts and sizes are in 7 bits a byte, lowest
// first. The checksum is XXH3 of all that stands before it in the envelope. The body may
// be compressed (zstd).
//
// Pure logic: no I/O, no clock. Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder::shared {

// A place in the backplane's stream: all zero where there is none.
struct Position {
  std::uint64_t time = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

// Who may believe a value.
struct Stamp {
  std::uint64_t run = 0;          // of the server that took it
  std::uint64_t fingerprint = 0;  // of what produced it: statement, codec, version
  std::uint64_t generation = 0;   // of its cache, another after each clear()

  // As it stands behind the kind of a value.
  [[nodiscard]] std::string bytes() const;
  // Whether these bytes are its, without making them.
  [[nodiscard]] bool stands_in(std::string_view bytes) const;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};
inline constexpr std::size_t kStampSize = 24;

// A fingerprint as it stands in a stamp and in a failure.
inline constexpr std::size_t kFingerprintSize = 8;
[[nodiscard]] std::string fingerprint_bytes(std::uint64_t fingerprint);
// REQUIRES: there are as many bytes.
[[nodiscard]] std::uint64_t fingerprint_in(std::string_view bytes);

inline constexpr std::size_t kTokenSize = 16;
inline constexpr std::size_t kEnvelopeAt = 1 + kStampSize + kTokenSize;

struct Envelope {
  std::optional<std::string> body{};  // none: the source has no such row
  Duration lifetime{};                // from when its load began; whole milliseconds
  Duration load_cost{};               // whole microseconds
  Position position{};                // of the backplane, when its load began
  std::vector<std::string> tags{};

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

// Why a value is not believed.
enum class Disbelief : std::uint8_t {
  kForeign,  // not written by a larder that this one understands
  kStale,    // another run, fingerprint or generation
  kCorrupt,  // cut off, changed on its way, or larger than it may be
};

struct EnvelopeOptions {
  // Behaviour.
  ByteCount most_body{32ULL << 20};  // plain; what says that it is larger is corrupt
  // Speed.
  ByteCount compress_from{1ULL << 10};  // plain bodies of at least this many bytes
};

// The bytes of a value, kind and all, with no refresh token.
[[nodiscard]] std::string seal(const Stamp& stamp, const Envelope& envelope,
                               const EnvelopeOptions& options);
// The envelope of such bytes. REQUIRES: nothing: any bytes are answered.
[[nodiscard]] std::expected<Envelope, Disbelief> open(std::string_view value, const Stamp& stamp,
                                                      const EnvelopeOptions& options);

}  // namespace larder::shared
