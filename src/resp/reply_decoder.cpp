#include "resp/reply_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "resp/length_line.hpp"

namespace larder::resp {
namespace {

constexpr std::size_t kLineEnd = 2;  // CRLF
constexpr std::size_t kReservedItems = 64;

// The whole of `text` as a number, or false.
template <class Number>
bool parse(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && stopped == end;
}

bool is_big_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Reply text_reply(Reply::Kind kind, std::string_view text) {
  Reply reply;
  reply.kind = kind;
  reply.text = text;
  return reply;
}

Reply integer_reply(Reply::Kind kind, std::int64_t integer) {
  Reply reply;
  reply.kind = kind;
  reply.integer = integer;
  return reply;
}

Reply::Kind aggregate_kind(char type) {
  switch (type) {
    case '~': return Reply::Kind::kSet;
    case '%':
    case '|': return Reply::Kind::kMap;
    case '>': return Reply::Kind::kPush;
    default: return Reply::Kind::kArray;
  }
}

std::string quoted(char type) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(type);
  if (byte > ' ' && byte < 127) return std::string{"'"} + type + "'";
  return std::string{"0x"} + kHex[byte >> 4U] + kHex[byte & 15U];
}

}  // namespace

ReplyDecoder::Outcome ReplyDecoder::decode(std::string_view input) {
  consumed_ = 0;
  if (!error_.empty()) return Outcome::kError;
  for (;;) {
    switch (step(input.substr(consumed_))) {
      case Step::kGoOn: break;
      case Step::kNeedMore: return Outcome::kNeedMore;
      case Step::kError: return Outcome::kError;
      case Step::kReplyDone:
        memory_ = 0;
        return done_.kind == Kind::kPush ? Outcome::kPush : Outcome::kReply;
    }
  }
}

// Takes one piece from the start of `rest`: a scalar, a header, an end.
ReplyDecoder::Step ReplyDecoder::step(std::string_view rest) {
  if (rest.empty()) return need_more(3);
  const char type = rest.front();
  const bool in_string = !open_.empty() && open_.back().reply.kind == Kind::kBulk;
  if (in_string != (type == ';')) {
    return broken("a chunk without its streamed string, or the other way round");
  }
  switch (type) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '#':
    case '_':
    case '(': return line(type, rest);
    case '$':
    case '!':
    case '=': return bulk(type, rest);
    case '*':
    case '~':
    case '%':
    case '>':
    case '|': return aggregate(type, rest);
    case ';': return chunk(rest);
    case '.': return end_of_stream(rest);
    default: return broken("bytes that begin no reply: " + quoted(type));
  }
}

ReplyDecoder::Step ReplyDecoder::line(char type, std::string_view rest) {
  const std::size_t end = rest.find('\r', std::max<std::size_t>(searched_, 1));
  const std::size_t length = std::min(end, rest.size()) - 1;
  if (length > limits_.max_line.bytes) {
    return broken("a line of more than " + std::to_string(limits_.max_line.bytes) + " bytes");
  }
  searched_ = length + 1;
  if (end == std::string_view::npos) return need_more(kLineEnd);
  if (end + 1 == rest.size()) return need_more(1);
  if (rest[end + 1] != '\n') return broken("a CR without LF in a line");

  searched_ = 0;
  return took(end + kLineEnd, scalar(type, rest.substr(1, length)));
}

ReplyDecoder::Step ReplyDecoder::scalar(char type, std::string_view text) {
  if (!charge(text.size())) return too_large();
  std::int64_t integer = 0;
  Reply reply;
  switch (type) {
    case '+': return complete(text_reply(Kind::kSimple, text));
    case '-': return complete(text_reply(Kind::kError, text));
    case '_':
      if (!text.empty()) return broken("a null with text");
      return complete({});
    case '#':
      if (text != "t" && text != "f") return broken("a boolean that is neither t nor f");
      return complete(integer_reply(Kind::kBoolean, text == "t" ? 1 : 0));
    case ':':
      if (!parse(text, integer)) return broken("an integer that is none");
      return complete(integer_reply(Kind::kInteger, integer));
    case '(':
      if (!is_big_number(text)) return broken("a big number that is none");
      return complete(text_reply(Kind::kBigNumber, text));
    default:
      reply.kind = Kind::kReal;
      if (!parse(text, reply.real)) return broken("a double that is none");
      return complete(std::move(reply));
  }
}

ReplyDecoder::Step ReplyDecoder::bulk(char type, std::string_view rest) {
  const char* at = rest.data() + 1;
  const char* const end = rest.data() + rest.size();
  if (type == '$' && rest.starts_with("$?")) {
    if (rest.size() < 4) return need_more(4 - rest.size());
    if (!rest.starts_with("$?\r\n")) return broken("a bulk length that is none");
    return took(4, open({.reply = text_reply(Kind::kBulk, {}), .streamed = true}));
  }
  std::int64_t length = 0;
  switch (read_length(at, end, length)) {
    case LengthLine::kWhole: break;
    case LengthLine::kCut: return need_more(1);
    case LengthLine::kBad: return broken("a bulk length that is none");
  }
  const auto header = static_cast<std::size_t>(at - rest.data());
  if (length == -1 && type == '$') return took(header, complete({}));
  if (length < 0) return broken("a negative bulk length");
  if (std::cmp_greater(length, limits_.max_bulk.bytes)) {
    return broken("a string of " + std::to_string(length) + " bytes; the limit is " +
                  std::to_string(limits_.max_bulk.bytes));
  }

  const auto size = static_cast<std::size_t>(length);
  const std::size_t whole = header + size + kLineEnd;
  if (rest.size() < whole) return need_more(whole - rest.size());
  std::string_view text = rest.substr(header, size);
  if (rest.substr(header + size, kLineEnd) != "\r\n") return broken("a string without its CRLF");
  if (!charge(size)) return too_large();
  if (type == '!') return took(whole, complete(text_reply(Kind::kError, text)));
  if (type == '$') return took(whole, complete(text_reply(Kind::kBulk, text)));
  if (size < 4 || text[3] != ':') return broken("a verbatim string without its format");
  return took(whole, complete(text_reply(Kind::kVerbatim, text.substr(4))));
}

ReplyDecoder::Step ReplyDecoder::aggregate(char type, std::string_view rest) {
  Open opened;
  opened.reply.kind = aggregate_kind(type);
  opened.attribute = type == '|';
  if (type == '>' && !open_.empty()) return broken("a pushed message inside a reply");
  if (rest.size() > 1 && rest[1] == '?' && type != '>' && type != '|') {
    if (rest.size() < 4) return need_more(4 - rest.size());
    if (rest.substr(2, kLineEnd) != "\r\n") return broken("a count that is none");
    opened.streamed = true;
    return took(4, open(std::move(opened)));
  }

  const char* at = rest.data() + 1;
  std::int64_t count = 0;
  switch (read_length(at, rest.data() + rest.size(), count)) {
    case LengthLine::kWhole: break;
    case LengthLine::kCut: return need_more(1);
    case LengthLine::kBad: return broken("a count that is none");
  }
  const auto header = static_cast<std::size_t>(at - rest.data());
  if (count == -1 && type == '*') return took(header, complete({}));
  if (count < 0) return broken("a negative count");
  opened.awaited = static_cast<std::uint64_t>(count);
  if (opened.reply.kind == Kind::kMap) opened.awaited *= 2;
  return took(header, open(std::move(opened)));
}

// A part of a streamed string; one of no bytes ends it.
ReplyDecoder::Step ReplyDecoder::chunk(std::string_view rest) {
  const char* at = rest.data() + 1;
  std::int64_t length = 0;
  switch (read_length(at, rest.data() + rest.size(), length)) {
    case LengthLine::kWhole: break;
    case LengthLine::kCut: return need_more(1);
    case LengthLine::kBad: return broken("a chunk length that is none");
  }
  const auto header = static_cast<std::size_t>(at - rest.data());
  Reply& string = open_.back().reply;
  if (length == 0) {
    Reply whole = std::move(string);
    open_.pop_back();
    return took(header, complete(std::move(whole)));
  }
  if (length < 0) return broken("a negative chunk length");
  if (std::cmp_greater(length, limits_.max_bulk.bytes - string.text.size())) {
    return broken("a streamed string of more than " + std::to_string(limits_.max_bulk.bytes) +
                  " bytes");
  }

  const auto size = static_cast<std::size_t>(length);
  const std::size_t whole = header + size + kLineEnd;
  if (rest.size() < whole) return need_more(whole - rest.size());
  if (rest.substr(header + size, kLineEnd) != "\r\n") return broken("a chunk without its CRLF");
  if (!charge(size)) return too_large();
  string.text.append(rest.substr(header, size));
  return took(whole, Step::kGoOn);
}

ReplyDecoder::Step ReplyDecoder::end_of_stream(std::string_view rest) {
  if (open_.empty() || !open_.back().streamed) return broken("an end of nothing");
  if (rest.size() < 3) return need_more(3 - rest.size());
  if (!rest.starts_with(".\r\n")) return broken("an end with text");
  Reply whole = std::move(open_.back().reply);
  open_.pop_back();
  if (whole.kind == Kind::kMap && whole.items.size() % 2 != 0) {
    return broken("a map whose last key has no value");
  }
  return took(3, complete(std::move(whole)));
}

// An aggregate's header, or a streamed string's, was read.
ReplyDecoder::Step ReplyDecoder::open(Open opened) {
  if (open_.size() >= limits_.max_depth) {
    return broken("a reply nested more than " + std::to_string(limits_.max_depth) + " deep");
  }
  // What is announced must fit, but hardly more than what arrives is allocated.
  const std::uint64_t left = limits_.max_memory.bytes - memory_;
  if (opened.awaited > left / sizeof(Reply)) return too_large();
  opened.reply.items.reserve(std::min<std::size_t>(opened.awaited, kReservedItems));
  open_.push_back(std::move(opened));
  return close_filled();
}

// `reply` is whole: hands it to what it is part of, which may thereby be whole too.
ReplyDecoder::Step ReplyDecoder::complete(Reply&& reply) {
  if (!charge(sizeof(Reply))) return too_large();
  if (open_.empty()) {
    done_ = std::move(reply);
    return Step::kReplyDone;
  }
  Open& parent = open_.back();
  parent.reply.items.push_back(std::move(reply));
  if (parent.streamed) return Step::kGoOn;
  --parent.awaited;
  return close_filled();
}

ReplyDecoder::Step ReplyDecoder::close_filled() {
  if (open_.back().streamed || open_.back().awaited > 0) return Step::kGoOn;
  const bool attribute = open_.back().attribute;
  Reply whole = std::move(open_.back().reply);
  open_.pop_back();
  return attribute ? Step::kGoOn : complete(std::move(whole));
}

// Counts memory of the reply that has begun; false at the limit.
bool ReplyDecoder::charge(std::uint64_t bytes) {
  if (bytes > limits_.max_memory.bytes - memory_) return false;
  memory_ += bytes;
  return true;
}

ReplyDecoder::Step ReplyDecoder::took(std::size_t bytes, Step next) {
  consumed_ += bytes;
  return next;
}

ReplyDecoder::Step ReplyDecoder::need_more(std::size_t needed) {
  needed_ = needed;
  return Step::kNeedMore;
}

ReplyDecoder::Step ReplyDecoder::broken(std::string message) {
  error_ = "the server sent " + std::move(message);
  open_.clear();
  return Step::kError;
}

ReplyDecoder::Step ReplyDecoder::too_large() {
  return broken("a reply that needs more than " + std::to_string(limits_.max_memory.bytes) +
                " bytes");
}

}  // namespace larder::resp
