// A client's blocking socket, with Redis's protocol on it where wanted.
//
// Everything fails by exception; reads give up after a minute, so that a server
// that hangs fails a test instead of stopping it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "resp/reply_decoder.hpp"

namespace larder::test {

class TcpClient {
 public:
  explicit TcpClient(std::uint16_t port);
  ~TcpClient();
  TcpClient(TcpClient&& other) noexcept;
  TcpClient& operator=(TcpClient&&) = delete;

  void send(std::string_view bytes);
  // Sends what the socket takes without waiting; how much that was.
  std::size_t send_some(std::string_view bytes);
  // No more will be sent.
  void finish_sending();

  // Bytes, at least one; empty at the end of the stream or after a reset.
  std::string read_some();
  // Everything up to the end.
  std::string read_to_end();

  // The next reply. Throws at the end of the stream.
  resp::Reply reply();
  // Sends a command and reads its reply.
  resp::Reply ask(std::initializer_list<std::string_view> words);

 private:
  int socket_ = -1;
  std::string received_;
  resp::ReplyDecoder decoder_;
};

// A command as clients send it.
[[nodiscard]] std::string request(std::initializer_list<std::string_view> words);

}  // namespace larder::test
