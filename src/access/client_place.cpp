#include "access/client_place.hpp"

#include <cstddef>

namespace larder {

// IPv4 takes a range of IPv6's that is routed nowhere.
std::uint64_t place_of(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_uint();
  }
  std::uint64_t prefix = 0;
  const auto bytes = v6.to_bytes();
  for (std::size_t i = 0; i < 8; ++i) prefix = prefix << 8 | bytes[i];
  return prefix;
}

}  // namespace larder
