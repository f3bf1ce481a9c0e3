#include "server/listening_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace larder {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 4096;  // connections that wait to be accepted; the system may allow fewer

std::unexpected<Error> refused(const std::string& where, const std::string& why, bool taken,
                               const std::string& setting) {
  return fail(Errc::kRefused,
              "cannot listen on " + where + ": " + why +
                  (taken ? "; stop what listens there, or change " + setting : "; see " + setting));
}

std::unexpected<Error> refused_path(const std::string& path, int error) {
  return refused("unix:" + path, std::generic_category().message(error), error == EADDRINUSE,
                 "server.unix_socket");
}

error_code listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (!error) acceptor.native_non_blocking(true, error);
  return error;
}

std::string shown(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

// REQUIRES: it fits.
sockaddr_un socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor unix_socket() {
  return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

// Removes the socket that a process which is gone has left. An error says what else
// is in the way.
Result<void> clear_the_way(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};  // nothing there; or bind() will tell
  if (!S_ISSOCK(status.st_mode)) {
    return refused("unix:" + path, "there is a file that is no socket", true, "server.unix_socket");
  }
  const Descriptor probe = unix_socket();
  if (!probe) return refused_path(path, errno);
  const bool answers =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN;  // it has no room for another that waits
  if (answers) return refused_path(path, EADDRINUSE);
  if (errno != ECONNREFUSED) return refused_path(path, errno);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return refused_path(path, errno);
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_{std::move(path)} {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  number_ = status.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_{std::exchange(other.path_, {})}, device_{other.device_}, number_{other.number_} {}

void SocketFile::remove() {
  const std::string path = std::exchange(path_, {});
  struct stat status{};
  if (path.empty() || ::lstat(path.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == number_) ::unlink(path.c_str());
}

Result<ListeningSocket> listen_on_tcp(asio::io_context& io, const std::string& host,
                                      std::uint16_t port) {
  error_code error;
  const std::string service = std::to_string(port);
  const auto found = tcp::resolver{io}.resolve(host, service, error);
  tcp::acceptor acceptor{io};
  if (!error) error = listen_on(acceptor, found.begin()->endpoint());
  if (error) {
    return refused(host + ":" + service, error.message(), error == asio::error::address_in_use,
                   "server.listen");
  }
  const tcp::endpoint endpoint = acceptor.local_endpoint();
  return ListeningSocket{
      .socket = Descriptor{acceptor.release()}, .shown = shown(endpoint), .port = endpoint.port()};
}

Result<ListeningSocket> listen_on_unix(const std::string& path, mode_t permissions) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return refused_path(path, ENAMETOOLONG);
  const sockaddr_un address = socket_address(path);
  if (auto clear = clear_the_way(path, address); !clear) return std::unexpected{clear.error()};

  Descriptor socket = unix_socket();
  if (!socket) return refused_path(path, errno);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return refused_path(path, errno);
  }
  SocketFile file{path};
  // Before listen() nobody can connect, whatever the permissions were.
  if (::chmod(path.c_str(), permissions) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return refused_path(path, errno);
  }
  return ListeningSocket{
      .socket = std::move(socket), .shown = "unix:" + path, .file = std::move(file)};
}

}  // namespace larder
