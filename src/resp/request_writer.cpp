#include "resp/request_writer.hpp"

#include <array>
#include <cassert>
#include <charconv>

#include "resp/reply_writer.hpp"

namespace larder::resp {

void RequestWriter::command(std::span<const std::string_view> arguments) {
  begin(arguments.size());
  for (const std::string_view bytes : arguments) argument(bytes);
}

// On the wire a command is an array of bulk strings, as a reply might be.
void RequestWriter::begin(std::size_t arguments) {
  assert(arguments > 0);
  ReplyWriter{output_}.array(arguments);
}

void RequestWriter::argument(std::string_view bytes) { ReplyWriter{output_}.bulk(bytes); }

void RequestWriter::argument(std::int64_t number) {
  std::array<char, 20> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
  argument(std::string_view{text.data(), static_cast<std::size_t>(written.ptr - text.data())});
}

}  // namespace larder::resp
