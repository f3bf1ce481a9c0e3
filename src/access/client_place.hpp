// What counts as one place that clients come from: an IPv4 address, or the first 64
// bits of an IPv6 address, which one household has.
//
// Threads: any.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>

namespace larder {

[[nodiscard]] std::uint64_t place_of(const boost::asio::ip::address& address);

}  // namespace larder
