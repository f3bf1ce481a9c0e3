// Replies: the same tree or the same error however the bytes arrive, in bounded
// memory, and a tree survives being written and decoded again.
#include <cmath>
#include <memory>

#include "fuzz/check.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/reply_writer.hpp"
#include "resp/write_reply.hpp"

namespace larder::resp {
namespace {

using fuzz::require;
using Kind = Reply::Kind;
using Outcome = ReplyDecoder::Outcome;

struct Decoded {
  std::vector<Reply> replies;
  std::size_t consumed = 0;
  std::string error;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// Makes comparable what is not equal to itself, and fit for a line what a line
// cannot carry.
void settle(Reply& reply) {
  if (std::isnan(reply.real)) reply.real = 0;
  if (reply.kind == Kind::kSimple || reply.kind == Kind::kError) {
    std::ranges::replace(reply.text, '\r', ' ');
    std::ranges::replace(reply.text, '\n', ' ');
  }
  for (Reply& item : reply.items) settle(item);
}

Decoded decode(std::string_view bytes, std::vector<std::size_t> ends, const ReplyLimits& limits) {
  ReplyDecoder decoder{limits};
  Decoded decoded;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    for (auto outcome = Outcome::kReply; outcome != Outcome::kNeedMore;) {
      const std::string_view rest = bytes.substr(decoded.consumed, end - decoded.consumed);
      const auto moved = std::make_unique<char[]>(rest.size());
      rest.copy(moved.get(), rest.size());
      outcome = decoder.decode({moved.get(), rest.size()});
      decoded.consumed += decoder.consumed();
      if (outcome == Outcome::kError) {
        decoded.error = decoder.error();
        return decoded;
      }
      if (outcome == Outcome::kNeedMore) break;
      decoded.replies.push_back(decoder.take());
      settle(decoded.replies.back());
    }
  }
  return decoded;
}

std::uint64_t memory(const Reply& reply) {
  std::uint64_t bytes = sizeof(Reply) + reply.text.size();
  for (const Reply& item : reply.items) bytes += memory(item);
  return bytes;
}

std::string written(const std::vector<Reply>& replies) {
  OutputBuffer output;
  ReplyWriter writer{output, Protocol::kResp3};
  for (const Reply& reply : replies) write(writer, reply);
  std::string bytes;
  std::string_view piece;
  while (output.gather({&piece, 1}) == 1) {
    bytes += piece;
    output.consume(piece.size());
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr ReplyLimits kTight{
      .max_memory = {2000}, .max_bulk = {100}, .max_line = {30}, .max_depth = 3};
  constexpr ReplyLimits kWide{.max_memory = {64U << 20}};
  const fuzz::Input input{data, size};
  const ReplyLimits limits = input.control >= 128 ? kTight : kWide;

  const Decoded whole = decode(input.bytes, {}, limits);

  for (const Reply& reply : whole.replies) {
    require(memory(reply) <= limits.max_memory.bytes, "a reply is no larger than its limit");
  }
  require(decode(input.bytes, input.cuts(), limits) == whole, "cut as whole");
  if (size < 512) {
    require(decode(input.bytes, input.every_byte(), limits) == whole, "byte by byte as whole");
  }
  require(decode(written(whole.replies), {}, kWide).replies == whole.replies,
          "what is written again is decoded again");
  return 0;
}

}  // namespace larder::resp
