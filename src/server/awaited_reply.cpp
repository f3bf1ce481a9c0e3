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
  }
  return "ERR";
}

}  // namespace

std::string error_line(const Error& error) {
  std::string line{prefix_of(error.code)};
  line += ' ';
  line += error.message;
  return line;
}

std::string reply_too_large(std::size_t most) {
  return "ERR the reply does not fit into what is free of server.max_reply_buffer, " +
         std::to_string(most) + " bytes; ask for less at a time, or raise it";
}

AwaitedReply::AwaitedReply(Shape shape, resp::Protocol protocol, std::size_t elements)
    : shape_{shape}, protocol_{protocol}, values_(elements) {}

void AwaitedReply::know(std::size_t element, Handle<std::string> value) {
  if (failed()) return;
  if (value && shape_ != Shape::kCount) bytes_ += value->size();
  values_[element] = std::move(value);
}

void AwaitedReply::take(std::size_t element, const Answer<std::string>& answer, std::size_t most) {
  assert(owed_ > 0);
  --owed_;
  if (failed()) return;
  if (answer.failed()) return fail(error_line(answer.error()));
  if (!answer) return;
  if (shape_ != Shape::kCount && bytes_ + answer->size() > most) return fail(reply_too_large(most));
  know(element, answer.handle());
}

void AwaitedReply::fail(std::string error) {
  error_ = std::move(error);
  bytes_ = 0;
  values_.clear();
}

void AwaitedReply::write(resp::OutputBuffer& output) const {
  assert(complete());
  resp::ReplyWriter writer{output, protocol_};
  if (failed()) return writer.error(error_);
  if (shape_ == Shape::kCount) {
    const auto present = std::ranges::count_if(values_, [](const auto& v) { return v != nullptr; });
    return writer.integer(present);
  }
  if (shape_ == Shape::kValues) writer.array(values_.size());
  for (const Handle<std::string>& value : values_) {
    if (value) {
      writer.bulk(*value);
    } else {
      writer.null();
    }
  }
}

}  // namespace larder
