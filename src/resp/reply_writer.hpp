// Writes replies in the protocol version of their connection: RESP3's types as
// they are, or what RESP2 has in their place.
//
// Pure logic: no I/O. Appends to an OutputBuffer that must outlive it.
//
// Threads: as its buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "resp/output_buffer.hpp"

namespace larder::resp {

enum class Protocol : std::uint8_t { kResp2 = 2, kResp3 = 3 };

class ReplyWriter {
 public:
  explicit ReplyWriter(OutputBuffer& output, Protocol protocol = Protocol::kResp2)
      : output_{output}, protocol_{protocol} {}

  [[nodiscard]] Protocol protocol() const { return protocol_; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }

  // +text. A line: CR and LF become spaces.
  void simple(std::string_view text);
  void ok() { output_.append("+OK\r\n"); }
  // -text, with its code in front: "ERR unknown command". A line, as above, so
  // that nothing a client sent can pose as another reply.
  void error(std::string_view text);
  void integer(std::int64_t value);
  void bulk(std::string_view bytes);

  // No value. RESP2 tells an absent bulk from an absent array.
  void null();
  void null_array();

  // Headers; as many replies follow as they say (a map: two an entry). In RESP2
  // all are arrays.
  void array(std::size_t count);
  void map(std::size_t entries);
  void set(std::size_t count);
  void push(std::size_t count);

  // The shortest text that reads back as the same number; "inf", "-inf", "nan".
  void real(double value);
  void boolean(bool value);
  // Decimal digits with an optional sign.
  void big_number(std::string_view digits);
  // Text for people with a three-letter format: "txt", "mkd". REQUIRES: format.size() == 3.
  void verbatim(std::string_view format, std::string_view text);

 private:
  void line(char type, std::string_view text);
  void header(char type, std::int64_t number);

  OutputBuffer& output_;
  Protocol protocol_;
};

}  // namespace larder::resp
