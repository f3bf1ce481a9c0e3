#include "tls/openssl.hpp"

#include <openssl/err.h>

namespace larder {

std::string openssl::take_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace larder
