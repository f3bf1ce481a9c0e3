// Where one or several Memcached servers are, as one URL says it:
//
//   memcached://HOST[:PORT],HOST[:PORT],…     TCP; the port is 11211 unless given
//   memcached:///PATH,/PATH,…                 Unix sockets
//
// One that is several is a pool, which must be written alike for every process over it: in
// which order does not matter, but how each server is called does.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"

namespace larder::memcached {

inline constexpr std::uint16_t kPort = 11'211;

struct Place {
  std::string host{};  // a name, or an address without brackets; empty: a socket
  std::uint16_t port = kPort;
  std::string socket{};  // a path; empty: host

  friend bool operator==(const Place&, const Place&) = default;
};

// "localhost:11211", "[::1]:11211", "/run/memcached.sock": for messages.
[[nodiscard]] std::string to_string(const Place& place);
// As ketama calls it: without the port, where that is 11211.
[[nodiscard]] std::string ketama_name(const Place& place);

struct MemcachedUrl {
  std::vector<Place> servers{};  // one at least, none of them twice

  friend bool operator==(const MemcachedUrl&, const MemcachedUrl&) = default;
};

// Whether the text is meant to be one, well formed or not.
[[nodiscard]] bool is_memcached_url(std::string_view url);

// Errors are half sentences, and repeat nothing of the URL.
[[nodiscard]] Result<MemcachedUrl> parse_memcached_url(std::string_view url);

// The URL that parse_memcached_url() reads back as it was.
[[nodiscard]] std::string to_string(const MemcachedUrl& url);

}  // namespace larder::memcached
