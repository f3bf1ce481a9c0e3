#include "server/socket_name.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace larder {

namespace {

template <class Address>
Address as(const sockaddr_storage& address) {
  Address specific{};
  std::memcpy(&specific, &address, sizeof specific);
  return specific;
}

std::string host_and_port(int family, const void* host, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, host, text.data(), text.size());
  const std::string name = family == AF_INET6 ? "[" + std::string{text.data()} + "]" : text.data();
  return name + ":" + std::to_string(ntohs(port));
}

std::string shown(const sockaddr_storage& address, socklen_t size) {
  switch (address.ss_family) {
    case AF_INET: {
      const auto v4 = as<sockaddr_in>(address);
      return host_and_port(AF_INET, &v4.sin_addr, v4.sin_port);
    }
    case AF_INET6: {
      const auto v6 = as<sockaddr_in6>(address);
      return host_and_port(AF_INET6, &v6.sin6_addr, v6.sin6_port);
    }
    case AF_UNIX: {
      const auto local = as<sockaddr_un>(address);
      const std::size_t begin = offsetof(sockaddr_un, sun_path);
      const std::string_view path{local.sun_path, size > begin ? size - begin : 0};
      return std::string{path.substr(0, path.find('\0'))} + ":0";
    }
    default: return {};
  }
}

}  // namespace

ClientOrigin origin_of(int socket) {
  ClientOrigin origin{.descriptor = socket};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    origin.local_address = shown(address, size);
    // The client's end of a Unix socket has no name: Redis shows the server's.
    if (address.ss_family == AF_UNIX) origin.address = origin.local_address;
  }
  if (!origin.address.empty()) return origin;
  size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    origin.address = shown(address, size);
  }
  return origin;
}

}  // namespace larder
