#include "resp/command_decoder.hpp"

#include <algorithm>
#include <utility>

#include "resp/inline_command.hpp"
#include "resp/length_line.hpp"

namespace larder::resp {
namespace {

// Kept from one command to the next; more than this is given back.
constexpr std::size_t kKeptArguments = 1024;
constexpr std::size_t kKeptInline = 4096;

constexpr std::size_t kLineEnd = 2;        // CRLF
constexpr std::size_t kLeastArgument = 6;  // "$0\r\n\r\n"

}  // namespace

// Hot: guarded by BM_DecodePipelinedGet in bench/resp.
CommandDecoder::Outcome CommandDecoder::decode(std::string_view input) {
  consumed_ = 0;
  arguments_.clear();
  if (!error_.empty()) [[unlikely]]
    return Outcome::kError;

  const char* const end = input.data() + input.size();
  const char* command = input.data();
  const char* at = command + at_;

  while (awaited_ == 0) {
    if (at == end) return need_more(input, at, 1);
    if (*command != '*') {
      const std::optional<Outcome> outcome = decode_inline(input, at);
      if (outcome) return *outcome;
      command = at;
      continue;
    }
    const char* line = command + 1;
    std::int64_t count = 0;
    switch (read_length(line, end, count)) {
      case LengthLine::kWhole: break;
      case LengthLine::kCut: return need_more(input, command, 1);
      case LengthLine::kBad: return broken("Protocol error: invalid multibulk length");
    }
    if (count > 0 && std::cmp_greater(count, limits_.max_arguments)) return bad_count(count);
    at = line;
    if (count > 0) {
      awaited_ = count;
    } else {
      command = at;
      consumed_ = static_cast<std::size_t>(command - input.data());
    }
  }

  while (awaited_ > 0) {
    if (at == end) return need_more(input, at, kLeastArgument);
    if (*at != '$') {
      return broken(std::string{"Protocol error: expected '$', got '"} + *at + "'");
    }
    const char* body = at + 1;
    std::int64_t size = 0;
    switch (read_length(body, end, size)) {
      case LengthLine::kWhole: break;
      case LengthLine::kCut: return need_more(input, at, 1);
      case LengthLine::kBad: return broken("Protocol error: invalid bulk length");
    }
    if (size < 0 || std::cmp_greater(size, limits_.max_argument.bytes)) return bad_argument(size);

    const auto length = static_cast<std::size_t>(size);
    const auto framed = static_cast<std::size_t>(body - command) + length + kLineEnd;
    if (framed > limits_.max_request.bytes) return too_big_request(framed);
    const auto there = static_cast<std::size_t>(end - body);
    if (there < length + kLineEnd) return need_more(input, at, length + kLineEnd - there);
    if (body[length] != '\r' || body[length + 1] != '\n') {
      return broken("Protocol error: expected CRLF after an argument of " + std::to_string(size) +
                    " bytes");
    }
    arguments_.emplace_back(body, length);
    at = body + length + kLineEnd;
    --awaited_;
  }

  if (!parked_.empty()) take_parked(command);
  consumed_ = static_cast<std::size_t>(at - input.data());
  at_ = 0;
  return Outcome::kCommand;
}

// Cold: people type these. `at` is how far the line was searched for its end;
// for an empty line it is moved past it and there is no outcome.
std::optional<CommandDecoder::Outcome> CommandDecoder::decode_inline(std::string_view input,
                                                                     const char*& at) {
  const auto searched = static_cast<std::size_t>(at - input.data());
  const std::size_t line_feed = input.find('\n', searched);
  const bool whole = line_feed != std::string_view::npos;
  std::string_view line = input.substr(consumed_, whole ? line_feed - consumed_ : line_feed);
  if (line.ends_with('\r')) line.remove_suffix(1);

  const std::uint64_t limit = std::min(limits_.max_inline.bytes, limits_.max_request.bytes);
  if (line.size() > limit) {
    return broken(
        "Protocol error: too big inline request: the limit is " + std::to_string(limit) + " bytes",
        limit == limits_.max_inline.bytes ? Excess::kNone : Excess::kRequest);
  }
  if (!whole) return need_more(input, input.data() + input.size(), 1);
  if (!split_inline(line, inline_, arguments_)) {
    return broken("Protocol error: unbalanced quotes in request");
  }
  if (arguments_.size() > limits_.max_arguments) {
    return bad_count(static_cast<std::int64_t>(arguments_.size()));
  }

  at = input.data() + line_feed + 1;
  consumed_ = line_feed + 1;
  at_ = 0;
  if (arguments_.empty()) return std::nullopt;
  return Outcome::kCommand;
}

// Remembers where the command that has begun stands. `at` is what decoding goes
// on from.
CommandDecoder::Outcome CommandDecoder::need_more(std::string_view input, const char* at,
                                                  std::size_t needed) {
  const char* const command = input.data() + consumed_;
  for (const std::string_view argument : arguments_) {
    parked_.push_back({static_cast<std::size_t>(argument.data() - command), argument.size()});
  }
  arguments_.clear();
  at_ = static_cast<std::size_t>(at - command);
  needed_ = needed;
  if (at_ == 0 && awaited_ == 0) drop_excess();
  return Outcome::kNeedMore;
}

void CommandDecoder::rewind() {
  parked_.clear();
  error_.clear();
  at_ = 0;
  awaited_ = 0;
}

// Puts the arguments of earlier calls before those of this one.
void CommandDecoder::take_parked(const char* command) {
  arguments_.insert(arguments_.begin(), parked_.size(), std::string_view{});
  std::ranges::transform(parked_, arguments_.begin(), [command](Piece piece) {
    return std::string_view{command + piece.offset, piece.size};
  });
  parked_.clear();
}

// Between commands, what a rare big one grew is given back.
void CommandDecoder::drop_excess() {
  if (arguments_.capacity() > kKeptArguments) std::vector<std::string_view>{}.swap(arguments_);
  if (parked_.capacity() > kKeptArguments) std::vector<Piece>{}.swap(parked_);
  if (inline_.capacity() > kKeptInline) std::string{}.swap(inline_);
}

CommandDecoder::Outcome CommandDecoder::broken(std::string message, Excess excess) {
  error_ = std::move(message);
  excess_ = excess;
  arguments_.clear();
  parked_.clear();
  return Outcome::kError;
}

CommandDecoder::Outcome CommandDecoder::bad_count(std::int64_t count) {
  return broken("Protocol error: invalid multibulk length: " + std::to_string(count) +
                    " arguments, the limit is " + std::to_string(limits_.max_arguments),
                Excess::kArguments);
}

CommandDecoder::Outcome CommandDecoder::bad_argument(std::int64_t size) {
  if (size < 0) return broken("Protocol error: invalid bulk length");
  return broken("Protocol error: invalid bulk length: " + std::to_string(size) +
                    " bytes, the limit is " + std::to_string(limits_.max_argument.bytes),
                Excess::kArgument);
}

CommandDecoder::Outcome CommandDecoder::too_big_request(std::uint64_t size) {
  return broken("Protocol error: too big request: " + std::to_string(size) +
                    " bytes or more, the limit is " + std::to_string(limits_.max_request.bytes),
                Excess::kRequest);
}

}  // namespace larder::resp
