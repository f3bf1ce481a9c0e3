// Replies of Memcached: the same replies or the same error however the bytes arrive, and a
// reply survives being written and decoded again.
#include <algorithm>
#include <memory>

#include "fuzz/check.hpp"
#include "memcached/meta_reply.hpp"

namespace larder::memcached {
namespace {

using fuzz::require;
using Kind = MetaReply::Kind;
using Outcome = DecodedReply::Outcome;

struct Decoded {
  std::vector<MetaReply> replies;
  std::size_t consumed = 0;
  std::string error;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// In memory of its own each time, so that reading behind its end is seen.
Decoded decode(std::string_view bytes, std::vector<std::size_t> ends, const MetaLimits& limits) {
  Decoded all;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    for (;;) {
      if (end < all.consumed) break;
      const std::string_view rest = bytes.substr(all.consumed, end - all.consumed);
      const auto moved = std::make_unique<char[]>(rest.size());
      rest.copy(moved.get(), rest.size());
      DecodedReply one = decode_reply({moved.get(), rest.size()}, limits);
      all.consumed += one.consumed;
      if (one.outcome == Outcome::kError) {
        all.error = std::move(one.error);
        return all;
      }
      if (one.outcome == Outcome::kNeedMore) break;
      require(one.consumed > 0, "a reply takes bytes");
      all.replies.push_back(std::move(one.reply));
    }
  }
  return all;
}

std::string flags(const MetaReply& reply) {
  std::string text;
  if (reply.left) text += " t" + std::to_string(reply.left->count());
  if (reply.cas != 0) text += " c" + std::to_string(reply.cas);
  if (reply.stale) text += " X";
  return text;
}

// As memcached writes it.
std::string written(const MetaReply& reply) {
  switch (reply.kind) {
    case Kind::kDone: return "HD" + flags(reply) + "\r\n";
    case Kind::kValue:
      return "VA " + std::to_string(reply.text.size()) + flags(reply) + "\r\n" + reply.text +
             "\r\n";
    case Kind::kMiss: return "EN" + flags(reply) + "\r\n";
    case Kind::kNotStored: return "NS" + flags(reply) + "\r\n";
    case Kind::kExists: return "EX" + flags(reply) + "\r\n";
    case Kind::kNotFound: return "NF" + flags(reply) + "\r\n";
    case Kind::kVersion: return "VERSION " + reply.text + "\r\n";
    case Kind::kStat: return "STAT " + reply.text + "\r\n";
    case Kind::kEnd: return "END\r\n";
    case Kind::kError: return reply.text + "\r\n";
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr MetaLimits kTight{.most_line = 30, .most_value = {100}};
  constexpr MetaLimits kWide{.most_line = 1U << 20U, .most_value = {64U << 20U}};
  const fuzz::Input input{data, size};
  const MetaLimits limits = input.control >= 128 ? kTight : kWide;

  const Decoded whole = decode(input.bytes, {}, limits);

  require(decode(input.bytes, input.cuts(), limits) == whole, "cut as whole");
  if (size < 512) {
    require(decode(input.bytes, input.every_byte(), limits) == whole, "byte by byte as whole");
  }
  std::string again;
  for (const MetaReply& reply : whole.replies) {
    if (reply.kind == Kind::kValue) {
      require(reply.text.size() <= limits.most_value.bytes, "a value is no larger than its limit");
    }
    again += written(reply);
  }
  require(decode(again, {}, kWide).replies == whole.replies,
          "what is written again is decoded again");
  return 0;
}

}  // namespace larder::memcached
