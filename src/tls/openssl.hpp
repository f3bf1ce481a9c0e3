// OpenSSL's objects with owners, and its errors in words.
//
// Threads: OpenSSL keeps each thread's errors apart.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace larder::openssl {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

// Takes this thread's latest error: "no shared cipher". Never empty.
[[nodiscard]] std::string take_error();

}  // namespace larder::openssl
