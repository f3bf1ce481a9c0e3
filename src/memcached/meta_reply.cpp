#include "memcached/meta_reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace larder::memcached {
namespace {

using Kind = MetaReply::Kind;
using Outcome = DecodedReply::Outcome;

constexpr std::string_view kLineEnd = "\r\n";
// memcached reckons in 32 bits; an item without end has -1.
constexpr std::int64_t kLongestLife = 1LL << 32U;

// Those whose line is a code and flags.
constexpr std::array<std::pair<std::string_view, Kind>, 6> kMeta{{
    {"HD", Kind::kDone},
    {"VA", Kind::kValue},
    {"EN", Kind::kMiss},
    {"NS", Kind::kNotStored},
    {"EX", Kind::kExists},
    {"NF", Kind::kNotFound},
}};

DecodedReply refuse(std::string why) {
  return {.outcome = Outcome::kError, .error = std::move(why)};
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

// False: a flag that cannot be read. Unknown flags are passed over.
bool take_flag(std::string_view flag, MetaReply& reply) {
  const std::string_view token = flag.substr(1);
  switch (flag.front()) {
    case 'c': {
      const auto cas = number<std::uint64_t>(token);
      reply.cas = cas.value_or(0);
      return cas.has_value();
    }
    case 't': {
      const auto left = number<std::int64_t>(token);
      if (!left || *left > kLongestLife || *left < -1) return false;
      if (*left >= 0) reply.left = std::chrono::seconds{*left};
      return true;
    }
    case 'X': reply.stale = true; return true;
    default: return true;
  }
}

// The value behind a VA line.
DecodedReply take_value(MetaReply reply, std::uint64_t size, std::size_t line_size,
                        std::string_view rest, const MetaLimits& limits) {
  if (size > limits.most_value.bytes) return refuse("announces a value that is larger than any");
  if (rest.size() < size + kLineEnd.size()) return {};
  if (rest.substr(size, kLineEnd.size()) != kLineEnd) {
    return refuse("sends a value that does not end where it says");
  }
  reply.text = rest.substr(0, size);
  return {.outcome = Outcome::kReply,
          .consumed = line_size + size + kLineEnd.size(),
          .reply = std::move(reply)};
}

}  // namespace

DecodedReply decode_reply(std::string_view bytes, const MetaLimits& limits) {
  const std::size_t end = bytes.substr(0, limits.most_line + kLineEnd.size()).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= limits.most_line + kLineEnd.size()) {
      return refuse("sends a line that is longer than any");
    }
    return {};
  }
  if (end == 0 || bytes[end - 1] != '\r') return refuse("sends a line that does not end in CRLF");
  const std::string_view whole = bytes.substr(0, end - 1);
  const std::size_t consumed = end + 1;
  const auto known = [&](Kind kind, std::string_view text = {}) {
    return DecodedReply{.outcome = Outcome::kReply,
                        .consumed = consumed,
                        .reply = {.kind = kind, .text = std::string{text}}};
  };

  std::string_view line = whole;
  const std::string_view code = take_word(line);
  if (code == "ERROR" || code == "CLIENT_ERROR" || code == "SERVER_ERROR") {
    return known(Kind::kError, whole);
  }
  if (code == "VERSION") return known(Kind::kVersion, line);
  if (code == "STAT") return known(Kind::kStat, line);
  if (whole == "END") return known(Kind::kEnd);
  const auto* const meta =
      std::ranges::find(kMeta, code, &std::pair<std::string_view, Kind>::first);
  if (meta == kMeta.end()) return refuse("sends a line that is no answer");

  MetaReply reply{.kind = meta->second};
  std::optional<std::uint64_t> size;
  if (reply.kind == Kind::kValue) {
    size = number<std::uint64_t>(take_word(line));
    if (!size) return refuse("sends a value without its size");
  }
  while (!line.empty()) {
    const std::string_view flag = take_word(line);
    if (flag.empty()) continue;
    if (!take_flag(flag, reply)) return refuse("sends a flag that cannot be read");
  }
  if (size) return take_value(std::move(reply), *size, consumed, bytes.substr(consumed), limits);
  return {.outcome = Outcome::kReply, .consumed = consumed, .reply = std::move(reply)};
}

}  // namespace larder::memcached
