#include "access/credential_digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <string>

#include "larder/error.hpp"

namespace larder {

CredentialDigester::CredentialDigester() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw Failure{{Errc::kInternal, "the system gives no random numbers"}};
  }
}

CredentialDigester::~CredentialDigester() { OPENSSL_cleanse(key_.data(), key_.size()); }

CredentialDigester::Digest CredentialDigester::digest(std::string_view user,
                                                      std::string_view password,
                                                      std::string_view hash) const {
  // Sizes first: no two triples give the same text.
  std::string text = std::to_string(user.size()) + " " + std::to_string(password.size()) + " ";
  text.reserve(text.size() + user.size() + password.size() + hash.size());
  text.append(user).append(password).append(hash);
  Digest digest{};
  const auto* made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                          digest.data(), nullptr);
  OPENSSL_cleanse(text.data(), text.size());
  if (made == nullptr) throw Failure{{Errc::kInternal, "OpenSSL computes no HMAC"}};
  return digest;
}

bool same_digest(const CredentialDigester::Digest& a, const CredentialDigester::Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace larder
