// Asks a server of the Redis protocol one thing at a time and waits for the
// answer: for what the demo asks besides the load.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder::demo {

class RespClient {
 public:
  // To 127.0.0.1.
  [[nodiscard]] static Result<RespClient> connect(std::uint16_t port);
  RespClient(RespClient&&) noexcept;
  RespClient& operator=(RespClient&&) = delete;
  ~RespClient();

  // The answer to a command, as text (of an array or a map, its parts on a line
  // each); nothing for a null. An error reply, a lost connection and ten seconds
  // of silence are Errors; after the latter two the client cannot be used again.
  [[nodiscard]] Result<std::optional<std::string>> ask(
      std::initializer_list<std::string_view> command);

 private:
  class Connection;
  explicit RespClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace larder::demo
