// The URL of a Redis server: what is read is read again from its own print, and no
// error repeats what may be a password.
#include "fuzz/check.hpp"
#include "redis/redis_url.hpp"

namespace larder {

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  if (const auto url = redis::parse_redis_url(text)) {
    require(redis::parse_redis_url(redis::to_string(*url)) == *url, "a URL is read back");
    require(url->socket.empty() != url->host.empty(), "a host or a socket");
    require(url->place().size() <= text.size() + 8, "a place is a part of the URL");
  } else {
    require(url.error().message.size() < 300, "errors are short whatever the URL is");
  }
  return 0;
}

}  // namespace larder
