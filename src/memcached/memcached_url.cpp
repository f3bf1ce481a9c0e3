#include "memcached/memcached_url.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii_case.hpp"

namespace larder::memcached {
namespace {

constexpr std::string_view kScheme = "memcached";
constexpr std::string_view kForm = "write memcached://HOST:PORT,HOST:PORT or memcached:///PATH";
constexpr std::size_t kMostServers = 256;
constexpr std::size_t kLongestSocketPath = 107;  // that the system takes
constexpr std::size_t kLongestHost = 253;

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

Result<Place> socket_place(std::string_view path) {
  const bool plain = std::ranges::all_of(
      path, [](char c) { return c > ' ' && c < '\x7f' && c != '%' && c != '?' && c != ','; });
  if (!plain) return refuse("names a socket whose path has other characters than plain ones");
  if (path.size() > kLongestSocketPath) {
    return refuse("names a socket whose path is longer than " + std::to_string(kLongestSocketPath) +
                  " bytes, which the system does not take");
  }
  if (path.ends_with('/')) return refuse("names a folder instead of the socket in it");
  return Place{.socket = std::string{path}};
}

Result<void> take_port(std::string_view text, Place& place) {
  if (text.empty()) return {};
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data() + 1, end, port);
  if (text.front() != ':' || problem != std::errc{} || stopped != end || port < 1 ||
      port > 65'535) {
    return refuse("has a port that is no number from 1 to 65535");
  }
  place.port = static_cast<std::uint16_t>(port);
  return {};
}

Result<Place> host_place(std::string_view text) {
  Place place;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos)
      return refuse("has an address in brackets that does not end");
    place.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!place.host.contains(':')) return refuse("has brackets around what is no IPv6 address");
  } else {
    place.host = text.substr(0, text.find(':'));
    text.remove_prefix(place.host.size());
    if (std::ranges::count(text, ':') > 1) {
      return refuse("has an IPv6 address without brackets; write memcached://[::1]:11211");
    }
  }
  const bool plain = std::ranges::all_of(place.host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
  if (place.host.empty()) return refuse("names no host; " + std::string{kForm});
  if (!plain || place.host.size() > kLongestHost) {
    return refuse("has a host with characters that no host has, or too many");
  }
  if (auto done = take_port(text, place); !done) return std::unexpected{std::move(done.error())};
  return place;
}

}  // namespace

bool is_memcached_url(std::string_view url) {
  return same_but_case(url.substr(0, kScheme.size()), kScheme);
}

std::string to_string(const Place& place) {
  if (!place.socket.empty()) return place.socket;
  const std::string host = place.host.contains(':') ? "[" + place.host + "]" : place.host;
  return host + ":" + std::to_string(place.port);
}

std::string ketama_name(const Place& place) {
  if (!place.socket.empty()) return place.socket;
  return place.port == kPort ? place.host : place.host + ":" + std::to_string(place.port);
}

Result<MemcachedUrl> parse_memcached_url(std::string_view url) {
  const std::size_t colon = std::min(url.find(':'), url.size());
  const std::string scheme = lowered(url.substr(0, colon));
  if (scheme == "memcacheds") {
    return refuse(
        "asks for TLS, which larder does not speak with Memcached: write memcached:// and keep it "
        "where others cannot reach it, or on a socket (memcached:///PATH)");
  }
  if (scheme != kScheme) return refuse("has an unknown scheme; " + std::string{kForm});
  if (colon == url.size()) return refuse("has no address; " + std::string{kForm});
  url.remove_prefix(colon + 1);
  if (!url.starts_with("//")) return refuse("needs // after its scheme");
  url.remove_prefix(2);
  if (url.contains('@')) {
    return refuse(
        "names a user; larder does not log in to Memcached: keep it where others cannot "
        "reach it, or on a socket (memcached:///PATH)");
  }
  if (url.contains('?')) return refuse("has options behind ?, of which there are none");
  MemcachedUrl parsed;
  for (bool more = true; more;) {
    const std::size_t end = std::min(url.find(','), url.size());
    const std::string_view text = url.substr(0, end);
    more = end < url.size();
    url.remove_prefix(std::min(end + 1, url.size()));
    auto place = text.starts_with('/') ? socket_place(text) : host_place(text);
    if (!place) return std::unexpected{std::move(place.error())};
    if (std::ranges::find(parsed.servers, *place) != parsed.servers.end())
      return refuse("names a server twice");
    parsed.servers.push_back(std::move(*place));
    if (parsed.servers.size() > kMostServers) return refuse("names more than 256 servers");
  }
  return parsed;
}

std::string to_string(const MemcachedUrl& url) {
  std::string text;
  for (const Place& each : url.servers)
    text += (text.empty() ? "memcached://" : ",") + to_string(each);
  return text;
}

}  // namespace larder::memcached
