#include "memcached/ketama.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <utility>

namespace larder::memcached {
namespace {

constexpr unsigned kDigests = 40;  // of a server
constexpr unsigned kPointsADigest = 4;

using Digest = std::array<unsigned char, 16>;

// One thread's, to be used again: to find out anew what MD5 is takes longer than an MD5.
class Md5 {
 public:
  Digest operator()(std::string_view text) {
    Digest digest{};
    EVP_DigestInit_ex(context_.get(), nullptr, nullptr);
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  static EVP_MD_CTX* made() {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_md5(), nullptr);
    return context;
  }
  std::unique_ptr<EVP_MD_CTX, Free> context_{made()};
};

Digest md5(std::string_view text) {
  thread_local Md5 hash;
  return hash(text);
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
  if (ring_.size() == std::size_t{kDigests} * kPointsADigest) return 0;  // one server's
  const auto found = std::ranges::lower_bound(ring_, point(md5(key), 0), {}, &Point::at);
  return found == ring_.end() ? ring_.front().server : found->server;
}

}  // namespace larder::memcached
