#include "server/differential/peer.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "resp/request_writer.hpp"

namespace larder::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

int connect_to(int family, const sockaddr* address, socklen_t size) {
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("socket");
  if (::connect(socket, address, size) != 0) {
    const int why = errno;
    ::close(socket);
    errno = why;
    fail("connect");
  }
  return socket;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Peer Peer::to_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket =
      connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Peer{socket};
}

Peer Peer::to_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::length_error{"socket path: " + path};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return Peer{connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address)};
}

Peer::~Peer() {
  if (socket_ >= 0) ::close(socket_);
}

std::vector<resp::Reply> Peer::ask(const std::vector<Words>& commands) {
  resp::OutputBuffer output;
  resp::RequestWriter writer{output};
  for (const Words& words : commands) {
    writer.begin(words.size());
    for (const std::string& word : words) writer.argument(std::string_view{word});
  }
  while (!output.empty()) {
    std::array<std::string_view, 1> piece;
    if (output.gather(piece) == 0) break;
    send_all(socket_, piece[0]);
    output.consume(piece[0].size());
  }

  std::vector<resp::Reply> replies;
  while (replies.size() < commands.size()) replies.push_back(next());
  return replies;
}

resp::Reply Peer::next() {
  using Outcome = resp::ReplyDecoder::Outcome;
  for (;;) {
    const Outcome outcome = decoder_.decode(received_);
    received_.erase(0, decoder_.consumed());
    if (outcome == Outcome::kReply || outcome == Outcome::kPush) return decoder_.take();
    if (outcome == Outcome::kError) throw std::runtime_error{decoder_.error()};
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) throw std::runtime_error{"the server hung up"};
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace larder::test
