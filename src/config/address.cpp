#include "config/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace larder {
namespace {

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_ipv6_byte(char c) { return is_host_byte(c) || c == ':' || c == '%'; }

bool every_host(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.contains("://")) return refuse("is a URL; an address is HOST:PORT alone");
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (colon == std::string_view::npos || (bracketed && text.ends_with(']'))) {
    return refuse("has no port; write \"" + std::string{text} + ":6380\"");
  }
  std::string_view host = text.substr(0, colon);
  if (bracketed && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return refuse("is no address; an IPv6 address stands in brackets, as in \"[::1]:6380\"");
  }
  if (host.empty()) return refuse("has no host; \"0.0.0.0\" is every one of this machine");
  for (const char c : host) {
    if (!(bracketed ? is_ipv6_byte(c) : is_host_byte(c))) {
      return refuse("has a host that is neither a name nor an IP address");
    }
  }
  const std::string_view port = text.substr(colon + 1);
  Address address{.host = std::string{host}};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return refuse("has no port between 0 and 65535 after its last ':'");
  }
  return address;
}

Result<unsigned> parse_permissions(std::string_view text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool digits = error == std::errc{} && end == text.data() + text.size();
  if (!digits || text.size() < 3 || text.size() > 4 || mode > 0777) {
    return refuse("is not what chmod takes, three octal digits as in \"0660\"");
  }
  return mode;
}

bool is_loopback(const Address& address) {
  // Names but this one are not resolved here: what they mean may change.
  if (address.host == "localhost") return true;
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address.host, error);
  return !error && ip.is_loopback();
}

bool collide(const Address& a, const Address& b) {
  if (a.port != b.port || a.port == 0) return false;
  return a.host == b.host || every_host(a.host) || every_host(b.host);
}

}  // namespace larder
