#include "memcached/ketama.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace larder::memcached {
namespace {

constexpr unsigned kDigests = 40;  // of a server
constexpr unsigned kPointsADigest = 4;

using Digest = std::array<unsigned char, 16>;

Digest md5(std::string_view text) {
  Digest digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr);
  return digest;
}

std::uint32_t point(const Digest& digest, unsigned index) {
  const unsigned at = index * 4;
  return std::uint32_t{digest[at + 3]} << 24U | std::uint32_t{digest[at + 2]} << 16U |
         std::uint32_t{digest[at + 1]} << 8U | std::uint32_t{digest[at]};
}

}  // namespace

Ketama::Ketama(std::span<const std::string> servers) {
  assert(!servers.empty() && servers.size() < 65'536);
  for (std::size_t server = 0; server < servers.size(); ++server) {
    for (unsigned i = 0; i < kDigests; ++i) {
      const Digest digest = md5(servers[server] + "-" + std::to_string(i));
      for (unsigned part = 0; part < kPointsADigest; ++part) {
        ring_.push_back({.at = point(digest, part), .server = static_cast<std::uint16_t>(server)});
      }
    }
  }
  // Two servers at one point are all but impossible; their order is then the list's.
  std::ranges::sort(ring_, {}, [](const Point& each) { return std::pair{each.at, each.server}; });
}

std::size_t Ketama::server_of(std::string_view key) const {
  const auto found = std::ranges::lower_bound(ring_, point(md5(key), 0), {}, &Point::at);
  return found == ring_.end() ? ring_.front().server : found->server;
}

}  // namespace larder::memcached
