// The bytes of one TLS connection on their way between OpenSSL and a socket, and
// an OpenSSL BIO over them.
//
// Threads: confined to its session's.
#pragma once

#include <openssl/bio.h>

#include <cstddef>
#include <string>

namespace larder {

struct Wire {
  std::string input;     // what the peer sent
  std::size_t used = 0;  // bytes of it that OpenSSL has taken
  std::string output;    // what is to be sent
};

// To be freed with BIO_meth_free, after the BIOs made of it. Null for lack of memory.
[[nodiscard]] BIO_METHOD* make_wire_method();
// A BIO of `wire`, which outlives it. Null for lack of memory.
[[nodiscard]] BIO* make_wire_bio(const BIO_METHOD* method, Wire& wire);

}  // namespace larder
