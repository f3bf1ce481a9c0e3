// Decodes requests: the commands that a client of the Redis protocol sends, as
// arrays of bulk strings or as inline text.
//
// Pure logic: no I/O. The caller owns the receive buffer and hands in what has
// arrived; arguments are views into that buffer (of an inline command, into the
// decoder), so nothing is copied and nothing is allocated per command.
//
//   for (;;) {
//     const auto outcome = decoder.decode(buffer.readable());
//     if (outcome == CommandDecoder::Outcome::kCommand) run(decoder.arguments());
//     buffer.consume(decoder.consumed());
//     if (outcome != CommandDecoder::Outcome::kCommand) break;
//   }
//
// A command that arrives in pieces is never read twice: the decoder remembers
// where it stood, so a request costs O(its bytes), however they arrive.
//
// Stricter than Redis where Redis reads past damage: both bytes of every CRLF
// are checked. Otherwise it accepts what Redis 7 accepts, and refuses with
// Redis's words.
//
// Threads: none of its own and no lock; one decoder a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/units.hpp"

namespace larder::resp {

// What one request may be. Checked as soon as it is announced, before the bytes
// are there.
struct CommandLimits {
  std::size_t max_arguments = 1'048'576;  // of one command, its name included
  ByteCount max_argument{512ULL << 20};   // one argument
  ByteCount max_request{1ULL << 30};      // one command with all its framing
  ByteCount max_inline{64ULL << 10};      // one inline command, without its line end
};

class CommandDecoder {
 public:
  enum class Outcome : std::uint8_t {
    kCommand,   // arguments() holds one, with at least its name
    kNeedMore,  // needed() more bytes at least
    kError,     // error() says why; the connection is beyond repair and so is the decoder
  };

  explicit CommandDecoder(CommandLimits limits = {}) : limits_{limits} {}

  // From here on; a command that has begun is held to the new limits too.
  void set_limits(CommandLimits limits) { limits_ = limits; }

  // Decodes the next command at the start of `input`: the bytes that arrived and
  // were not yet consumed. After kNeedMore the caller comes again with the same
  // bytes (less consumed()) and at least one more behind them; they may have
  // moved. Empty commands are passed over, as Redis does.
  [[nodiscard]] Outcome decode(std::string_view input);

  // Forgets how far a command that has begun is decoded, and an error: for who has
  // decoded ahead and comes again with input from the start of an earlier command.
  void rewind();

  // How many bytes at the start of the last input are done with, whatever the
  // outcome; after kCommand the arguments lie in them.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }

  // Valid after kCommand until the next decode(), and while the input stays.
  [[nodiscard]] std::span<const std::string_view> arguments() const { return arguments_; }

  // After kNeedMore: with fewer bytes than these there will be no command. At
  // least 1; exact for the argument that is on its way. A client's claim: make
  // room for it as bytes really arrive, not at once.
  [[nodiscard]] std::size_t needed() const { return needed_; }

  // After kError: the limit that the request goes beyond, if that is what is wrong.
  enum class Excess : std::uint8_t { kNone, kArguments, kArgument, kRequest };
  [[nodiscard]] Excess excess() const { return excess_; }

  // Bytes of memory that it holds besides itself.
  [[nodiscard]] std::size_t memory() const {
    return arguments_.capacity() * sizeof(std::string_view) + parked_.capacity() * sizeof(Piece) +
           inline_.capacity();
  }

  // After kError: "Protocol error: invalid bulk length", without "ERR ".
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Piece {  // of the command that has begun, from its first byte
    std::size_t offset;
    std::size_t size;
  };

  [[nodiscard]] std::optional<Outcome> decode_inline(std::string_view input, const char*& at);
  [[nodiscard]] Outcome need_more(std::string_view input, const char* at, std::size_t needed);
  [[nodiscard]] Outcome broken(std::string message, Excess excess = Excess::kNone);
  [[nodiscard]] Outcome bad_count(std::int64_t count);
  [[nodiscard]] Outcome bad_argument(std::int64_t size);
  [[nodiscard]] Outcome too_big_request(std::uint64_t size);
  void take_parked(const char* command);
  void drop_excess();

  CommandLimits limits_;
  std::vector<std::string_view> arguments_;  // those decoded by this call
  std::vector<Piece> parked_;                // those decoded by earlier calls: the buffer may move
  std::string inline_;                       // where the arguments of an inline command lie
  std::string error_;                        // empty unless broken
  Excess excess_ = Excess::kNone;

  std::size_t consumed_ = 0;
  std::size_t needed_ = 1;
  std::size_t at_ = 0;        // how far the command that has begun is decoded (inline: searched)
  std::int64_t awaited_ = 0;  // its arguments still to come; 0 between commands
};

}  // namespace larder::resp
