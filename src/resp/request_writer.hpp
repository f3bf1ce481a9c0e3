// Writes requests: what a client of the Redis protocol sends.
//
//   RequestWriter{output}.command({"SET", key, value, "PX", "5000"});
//
// Pure logic: no I/O. Appends to an OutputBuffer that must outlive it.
//
// Threads: as its buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "resp/output_buffer.hpp"

namespace larder::resp {

class RequestWriter {
 public:
  explicit RequestWriter(OutputBuffer& output) : output_{output} {}

  // A whole command. REQUIRES: at least one argument.
  void command(std::span<const std::string_view> arguments);
  void command(std::initializer_list<std::string_view> arguments) {
    command(std::span{arguments.begin(), arguments.size()});
  }

  // The same in steps: begin(2), argument("GET"), argument(key). As many
  // arguments follow as begin() said.
  void begin(std::size_t arguments);
  void argument(std::string_view bytes);
  void argument(std::int64_t number);

 private:
  OutputBuffer& output_;
};

}  // namespace larder::resp
