#include "server/tcp_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace larder::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

TcpClient::TcpClient(std::uint16_t port)
    : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval minute{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
}

TcpClient::~TcpClient() {
  if (socket_ >= 0) ::close(socket_);
}

TcpClient::TcpClient(TcpClient&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)},
      received_{std::move(other.received_)},
      decoder_{std::move(other.decoder_)} {}

void TcpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t TcpClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  fail("send");
}

void TcpClient::finish_sending() { ::shutdown(socket_, SHUT_WR); }

std::string TcpClient::read_some() {
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got >= 0) return {bytes.data(), static_cast<std::size_t>(got)};
    if (errno == ECONNRESET) return {};
    if (errno != EINTR) fail("recv");
  }
}

std::string TcpClient::read_to_end() {
  std::string all = std::exchange(received_, {});
  for (std::string some = read_some(); !some.empty(); some = read_some()) all += some;
  return all;
}

resp::Reply TcpClient::reply() {
  using Outcome = resp::ReplyDecoder::Outcome;
  for (;;) {
    const Outcome outcome = decoder_.decode(received_);
    received_.erase(0, decoder_.consumed());
    if (outcome == Outcome::kReply) return decoder_.take();
    if (outcome == Outcome::kError) throw std::runtime_error{decoder_.error()};
    const std::string some = read_some();
    if (some.empty()) throw std::runtime_error{"the server closed the connection"};
    received_ += some;
  }
}

resp::Reply TcpClient::ask(std::initializer_list<std::string_view> words) {
  send(request(words));
  return reply();
}

std::string request(std::initializer_list<std::string_view> words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n";
    bytes += word;
    bytes += "\r\n";
  }
  return bytes;
}

}  // namespace larder::test
