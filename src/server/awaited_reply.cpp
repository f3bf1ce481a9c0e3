#include "server/awaited_reply.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace larder {

namespace {

// The stable prefixes of docs/redis-protocol.md.
std::string_view prefix_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return "ERR";
    case Errc::kTimeout: return "TIMEOUT";
    case Errc::kCancelled: return "CANCELLED";
    case Errc::kOverloaded: return "BUSY";
    case Errc::kSourceFailed: return "SOURCE";
    case Errc::kBadValue: return "SOURCE";
    case Errc::kRefused: return "REFUSED";
    case Errc::kInternal: return "INTERNAL";
    case Errc::kRejected: return "REJECTED";
    case Errc::kConflict: return "CONFLICT";
    case Errc::kOutcomeUnknown: return "UNKNOWN";
  }
  return "ERR";
}

// Redis's GETRANGE: both ends belong to it, and may lie outside.
std::string_view range_of(std::string_view value, std::int64_t first, std::int64_t last) {
  const auto size = static_cast<std::int64_t>(value.size());
  if (first < 0 && last < 0 && first > last) return {};
  if (first < 0) first = std::max<std::int64_t>(first + size, 0);
  if (last < 0) last = std::max<std::int64_t>(last + size, 0);
  last = std::min(last, size - 1);
  if (first > last) return {};
  return value.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1));
}

// What holding a value takes besides its bytes: the string, its counts, and what malloc adds.
constexpr std::size_t kHolding = sizeof(std::string) + 48;

}  // namespace

void AwaitedReply::Form::write(resp::ReplyWriter& writer, const std::string_view* value) const {
  switch (shape) {
    case Shape::kValue:
    case Shape::kValues:
    case Shape::kCount:
      if (value == nullptr) return writer.null();
      return writer.bulk(*value);
    case Shape::kLength:
      return writer.integer(value == nullptr ? 0 : static_cast<std::int64_t>(value->size()));
    case Shape::kRange:
      return writer.bulk(value == nullptr ? std::string_view{} : range_of(*value, first, last));
    case Shape::kPresence: return writer.integer(value == nullptr ? 0 : 1);
    case Shape::kNumber: return writer.integer(first);
    case Shape::kOk: return writer.ok();
    case Shape::kType: return writer.simple(value == nullptr ? "none" : "string");
  }
}

std::string error_line(const Error& error) {
  std::string line{prefix_of(error.code)};
  line += ' ';
  line += error.message;
  return line;
}

std::string reply_too_large(std::size_t most) {
  return "ERR the reply does not fit into server.max_reply_buffer, " + std::to_string(most) +
         " bytes; ask for less at a time, or raise it";
}

AwaitedReply::AwaitedReply(Form form, resp::Protocol protocol, std::size_t elements)
    : form_{form},
      protocol_{protocol},
      bytes_{elements * sizeof(Handle<std::string>)},
      values_(elements) {}

void AwaitedReply::know(std::size_t element, Handle<std::string> value) {
  if (failed()) return;
  if (!value) return;
  // Of what is only counted, nothing but its being there is kept.
  if (form_.shape == Shape::kCount) value = std::make_shared<const std::string>();
  bytes_ += value->size() + kHolding;
  values_[element] = std::move(value);
}

void AwaitedReply::take(std::size_t element, const Answer<std::string>& answer, std::size_t most) {
  assert(owed_ > 0);
  --owed_;
  if (failed()) return;
  if (answer.failed()) return fail(error_line(answer.error()));
  if (!answer) return;
  const std::size_t size = form_.shape == Shape::kCount ? 0 : answer->size();
  if (bytes_ + size + kHolding > most) return fail(reply_too_large(most));
  know(element, answer.handle());
}

void AwaitedReply::fail(std::string error) {
  error_ = std::move(error);
  bytes_ = error_.size();
  values_.clear();
}

void AwaitedReply::write(resp::OutputBuffer& output) const {
  assert(complete());
  if (hushed_) return;
  resp::ReplyWriter writer{output, protocol_};
  if (failed()) return writer.error(error_);
  if (form_.shape == Shape::kCount) {
    const auto present = std::ranges::count_if(values_, [](const auto& v) { return v != nullptr; });
    return writer.integer(present);
  }
  if (form_.shape == Shape::kValues) writer.array(values_.size());
  for (const Handle<std::string>& value : values_) {
    const std::string_view bytes = value ? std::string_view{*value} : std::string_view{};
    form_.write(writer, value ? &bytes : nullptr);
  }
}

}  // namespace larder
