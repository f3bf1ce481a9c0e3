// The URL of a pool: what is read is read again from its own print, and no error repeats
// what may be a password.
#include "fuzz/check.hpp"
#include "memcached/memcached_url.hpp"

namespace larder {

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  if (const auto url = memcached::parse_memcached_url(text)) {
    require(memcached::parse_memcached_url(to_string(*url)) == *url, "a URL is read back");
    require(!url->servers.empty(), "there is a server");
    for (const auto& each : url->servers) {
      require(each.socket.empty() != each.host.empty(), "a host or a socket");
    }
  } else {
    require(url.error().message.size() < 300, "errors are short whatever the URL is");
  }
  return 0;
}

}  // namespace larder
