// One client's connection to a server under comparison.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resp/reply_decoder.hpp"

namespace larder::test {

// A command as it goes to both servers.
using Words = std::vector<std::string>;

class Peer {
 public:
  // Throws std::system_error if there is nobody to connect to.
  static Peer to_port(std::uint16_t port);
  static Peer to_socket(const std::string& path);
  Peer(Peer&& other) noexcept : socket_{std::exchange(other.socket_, -1)} {}
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  // Sends the commands together and waits for their replies. Throws
  // std::runtime_error if the server hangs up or says what no server may.
  std::vector<resp::Reply> ask(const std::vector<Words>& commands);
  // The next reply, or what comes unasked. Throws as ask().
  resp::Reply next();
  resp::Reply ask(const Words& command) { return ask(std::vector<Words>{command}).front(); }

 private:
  explicit Peer(int socket) : socket_{socket} {}

  int socket_;
  resp::ReplyDecoder decoder_;
  std::string received_;  // and not decoded
};

}  // namespace larder::test
