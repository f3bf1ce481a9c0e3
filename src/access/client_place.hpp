// What counts as one place that clients come from: an IPv4 address, or the first 64
// bits of an IPv6 address, which one household has.
//
// Threads: any.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>

namespace larder {

// Whether the address stands for a client of a Unix socket, who has none: the default one,
// which no other client has.
[[nodiscard]] inline bool on_unix_socket(const boost::asio::ip::address& address) {
  return address.is_unspecified();
}

// All clients of Unix sockets are one place.
[[nodiscard]] std::uint64_t place_of(const boost::asio::ip::address& address);

}  // namespace larder
