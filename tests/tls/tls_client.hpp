// A TLS client without a socket: OpenSSL's own, so that larder's side is tried
// against another.
#pragma once

#include <openssl/bio.h>
#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "tls/certificates.hpp"

namespace larder::test {

struct TlsClientOptions {
  std::string authority;                     // PEM of the only root that is trusted
  std::optional<Certificate> certificate{};  // to show
  int most_version = 0;                      // TLS1_2_VERSION; 0: whatever there is
};

class TlsClient {
 public:
  explicit TlsClient(const TlsClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Takes bytes from the server and goes on as far as they allow. The plain bytes that
  // came are in received(), those for the server come out of take_output().
  void take(std::string_view bytes);
  void write(std::string_view plain);
  void close();
  [[nodiscard]] std::string take_output();

  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  // Why it gave up; empty unless it did.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::string_view version() const;
  // The common name in the server's certificate.
  [[nodiscard]] std::string server_name() const;

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  BIO* input_;
  BIO* output_;
  bool open_ = false;
  std::string received_;
  std::string error_;
};

}  // namespace larder::test
