// A reply that cannot be given before some loads have ended, or the shared tier was told.
//
// Threads: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/answer.hpp"
#include "resp/reply_writer.hpp"

namespace larder {

class AwaitedReply {
 public:
  enum class Shape : std::uint8_t {
    kValue,     // the value of one key, or null: GET
    kValues,    // an array of them: MGET
    kCount,     // how many keys have a value: EXISTS
    kLength,    // bytes of a value, 0 without one: STRLEN
    kRange,     // some bytes of a value: GETRANGE
    kType,      // "string" or "none": TYPE
    kPresence,  // 1 or 0: LARDER REFRESH
    kNumber,    // `first`, whatever comes: DEL
    kOk,        // OK: FLUSHALL
  };
  // What is told of a value.
  struct Form {
    Shape shape;
    // Of kRange: the first and the last byte; negative: from the end.
    std::int64_t first = 0;
    std::int64_t last = -1;

    // Writes what is told of `value`, which is null where there is none.
    void write(resp::ReplyWriter& writer, const std::string_view* value) const;
  };

  // A reply of `elements` answers, each of which is null until it is known.
  AwaitedReply(Form form, resp::Protocol protocol, std::size_t elements);

  // One more answer is owed: take() will bring it.
  void owe() { ++owed_; }
  // An element that needs no load: a copy of its value.
  void know(std::size_t element, Handle<std::string> value);
  // An answer that was owed. A failure makes the whole reply an error; so does a
  // value that would take the reply beyond `most` bytes.
  void take(std::size_t element, const Answer<std::string>& answer, std::size_t most);

  // Nobody wants to read it: nothing will be written, once it is complete.
  void hush() { hushed_ = true; }

  [[nodiscard]] bool complete() const { return owed_ == 0; }
  [[nodiscard]] bool failed() const { return !error_.empty(); }
  // Bytes of memory that it holds, values and what stands around them.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // REQUIRES: complete().
  void write(resp::OutputBuffer& output) const;

 private:
  void fail(std::string error);

  Form form_;
  resp::Protocol protocol_;
  bool hushed_ = false;
  std::size_t owed_ = 0;
  std::size_t bytes_;
  std::string error_;  // the first failure: the whole reply
  std::vector<Handle<std::string>> values_;
};

// An error as a client sees it: "SOURCE no such table: products".
[[nodiscard]] std::string error_line(const Error& error);
// What stands in place of a reply that does not fit into the reply buffer.
[[nodiscard]] std::string reply_too_large(std::size_t most);

}  // namespace larder
