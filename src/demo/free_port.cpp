#include "demo/free_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace larder::demo {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr unsigned kNeighbours = 100;

// The port that was bound: `port`, or any for 0. Nothing if it is taken.
std::optional<std::uint16_t> bind(std::uint16_t port) {
  asio::io_context context;
  tcp::acceptor acceptor{context};
  boost::system::error_code error;
  const tcp::endpoint endpoint{asio::ip::address_v4::loopback(), port};
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  if (error) return std::nullopt;
  return acceptor.local_endpoint(error).port();
}

}  // namespace

Result<std::uint16_t> free_port(std::optional<std::uint16_t> wanted, std::uint16_t usual) {
  if (wanted) {
    if (const auto port = bind(*wanted)) return *port;
    return fail(Errc::kRefused, "port " + std::to_string(*wanted) +
                                    " is in use: name another, or 0 for any that is free");
  }
  for (unsigned i = 0; i <= kNeighbours; ++i) {
    if (const auto port = bind(static_cast<std::uint16_t>(usual + i))) return *port;
  }
  return fail(Errc::kRefused, "no port from " + std::to_string(usual) + " to " +
                                  std::to_string(usual + kNeighbours) + " is free: name another");
}

}  // namespace larder::demo
