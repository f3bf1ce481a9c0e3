#include "memcached/key_name.hpp"

#include <openssl/evp.h>

#include <array>

#include "memcached/meta_writer.hpp"

namespace larder::memcached {

std::string key_name(std::string_view name) {
  if (is_key(name)) return std::string{name};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, 32> digest{};
  EVP_Digest(name.data(), name.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string hashed{"larder/"};
  for (const unsigned char byte : digest) {
    hashed += kHex[byte >> 4U];
    hashed += kHex[byte & 15U];
  }
  return hashed;
}

}  // namespace larder::memcached
