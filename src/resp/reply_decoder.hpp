// Decodes replies: what a Redis or Valkey server sends, in RESP2 or RESP3.
//
// Pure logic: no I/O. The caller owns the receive buffer and hands in what has
// arrived; what is decoded is copied into the reply's tree and may be dropped at
// once, so only the piece that is on its way needs to stay in the buffer.
//
// Attributes are passed over. Pushed messages (invalidations, subscriptions)
// come as an outcome of their own, since they answer no command. Streamed
// strings and aggregates are understood, though no Redis sends them yet.
//
// Threads: none of its own and no lock; one decoder a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/units.hpp"

namespace larder::resp {

// One reply, with those it is made of.
struct Reply {
  enum class Kind : std::uint8_t {
    kNull,       // RESP3's null, RESP2's absent bulk or array
    kSimple,     // text
    kError,      // text, its code in front
    kBulk,       // text: any bytes
    kVerbatim,   // text, without its format
    kBigNumber,  // text: digits
    kInteger,    // integer
    kBoolean,    // integer: 0 or 1
    kReal,       // real
    kArray,      // items
    kSet,        // items, as they came
    kMap,        // items: key, value, key, value
    kPush,       // items
  };

  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Reply> items;

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  [[nodiscard]] bool is_error() const { return kind == Kind::kError; }

  friend bool operator==(const Reply&, const Reply&) = default;
};

// What one reply may be. Checked as soon as it is announced.
struct ReplyLimits {
  ByteCount max_memory{1ULL << 30};  // the whole tree: its texts and its nodes
  ByteCount max_bulk{512ULL << 20};  // one string
  ByteCount max_line{64ULL << 10};   // one simple string, error or number
  std::size_t max_depth = 32;        // aggregates within aggregates
};

class ReplyDecoder {
 public:
  enum class Outcome : std::uint8_t {
    kReply,     // take() has the answer to the oldest command without one
    kPush,      // take() has a pushed message
    kNeedMore,  // needed() more bytes at least
    kError,     // error() says why; the connection is beyond repair and so is the decoder
  };

  explicit ReplyDecoder(ReplyLimits limits = {}) : limits_{limits} {}

  // Decodes up to the end of the next reply in `input`: the bytes that arrived
  // and were not yet consumed. After kNeedMore the caller comes again with the
  // same bytes (less consumed()) and at least one more behind them.
  [[nodiscard]] Outcome decode(std::string_view input);

  // How many bytes at the start of the last input are done with, whatever the
  // outcome.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }

  // The reply that decode() completed. Once each.
  [[nodiscard]] Reply take() { return std::move(done_); }

  // After kNeedMore: with fewer bytes than these no reply is complete. At least 1.
  [[nodiscard]] std::size_t needed() const { return needed_; }

  // After kError: what is wrong with the server's bytes.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  using Kind = Reply::Kind;
  enum class Step : std::uint8_t { kGoOn, kReplyDone, kNeedMore, kError };

  // An aggregate, or a streamed string, that has begun.
  struct Open {
    Reply reply;
    std::uint64_t awaited = 0;  // items still to come, unless streamed
    bool streamed = false;
    bool attribute = false;  // dropped when complete
  };

  [[nodiscard]] Step step(std::string_view rest);
  [[nodiscard]] Step line(char type, std::string_view rest);
  [[nodiscard]] Step scalar(char type, std::string_view text);
  [[nodiscard]] Step bulk(char type, std::string_view rest);
  [[nodiscard]] Step aggregate(char type, std::string_view rest);
  [[nodiscard]] Step chunk(std::string_view rest);
  [[nodiscard]] Step end_of_stream(std::string_view rest);

  [[nodiscard]] Step open(Open opened);
  [[nodiscard]] Step complete(Reply&& reply);
  [[nodiscard]] Step close_filled();
  [[nodiscard]] bool charge(std::uint64_t bytes);
  [[nodiscard]] Step took(std::size_t bytes, Step next);
  [[nodiscard]] Step need_more(std::size_t needed);
  [[nodiscard]] Step broken(std::string message);
  [[nodiscard]] Step too_large();

  ReplyLimits limits_;
  std::vector<Open> open_;  // outermost first
  Reply done_;
  std::string error_;         // empty unless broken
  std::uint64_t memory_ = 0;  // charged to the reply that has begun

  std::size_t consumed_ = 0;
  std::size_t needed_ = 1;
  std::size_t searched_ = 0;  // bytes of the current line known to hold no CR
};

}  // namespace larder::resp
