// Addresses to listen on: HOST:PORT.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder {

struct Address {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

// "127.0.0.1:6380", "localhost:6380", "[::1]:6380", "0.0.0.0:6380". Port 0: any
// that is free. Errors are half sentences: `has no port; …`.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

// The longest path of a Unix socket that the system takes, in bytes.
inline constexpr std::size_t kLongestSocketPath = 107;

// The permissions of a Unix socket, as chmod has them: "0660" is 0660. Errors are half
// sentences.
[[nodiscard]] Result<unsigned> parse_permissions(std::string_view text);

// Whether only this machine reaches it.
[[nodiscard]] bool is_loopback(const Address& address);

// Whether two doors cannot both have theirs: the same port, and the same host or
// one of them every host. Port 0 never collides.
[[nodiscard]] bool collide(const Address& a, const Address& b);

}  // namespace larder
