#include "tls/tls_client.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>

#include "tls/openssl.hpp"

namespace larder::test {
namespace {

openssl::Bio over(const std::string& text) {
  return openssl::Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

}  // namespace

TlsClient::TlsClient(const TlsClientOptions& options) : context_{SSL_CTX_new(TLS_client_method())} {
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  const openssl::Certificate root{
      PEM_read_bio_X509(over(options.authority).get(), nullptr, nullptr, nullptr)};
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), root.get());
  if (options.certificate) {
    const openssl::Certificate shown{
        PEM_read_bio_X509(over(options.certificate->certificate).get(), nullptr, nullptr, nullptr)};
    const openssl::Key key{
        PEM_read_bio_PrivateKey(over(options.certificate->key).get(), nullptr, nullptr, nullptr)};
    SSL_CTX_use_certificate(context_, shown.get());
    SSL_CTX_use_PrivateKey(context_, key.get());
  }
  if (options.most_version != 0) {
    SSL_CTX_set_security_level(context_, 0);  // else this OpenSSL refuses the old ones itself
    SSL_CTX_set_max_proto_version(context_, options.most_version);
  }
  ssl_ = SSL_new(context_);
  SSL_set1_host(ssl_, "localhost");
  input_ = BIO_new(BIO_s_mem());
  output_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_, input_, output_);
  SSL_set_connect_state(ssl_);
  take("");
}

TlsClient::~TlsClient() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void TlsClient::take(std::string_view bytes) {
  if (!bytes.empty()) BIO_write(input_, bytes.data(), static_cast<int>(bytes.size()));
  std::array<char, 4096> room;
  for (;;) {
    const int done = open_ ? SSL_read(ssl_, room.data(), room.size()) : SSL_do_handshake(ssl_);
    if (done <= 0) {
      if (SSL_get_error(ssl_, done) == SSL_ERROR_SSL) error_ = openssl::take_error();
      return;
    }
    if (open_) received_.append(room.data(), static_cast<std::size_t>(done));
    open_ = true;
  }
}

void TlsClient::write(std::string_view plain) {
  SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
}

void TlsClient::close() { SSL_shutdown(ssl_); }

std::string TlsClient::take_output() {
  std::string bytes(BIO_ctrl_pending(output_), '\0');
  if (!bytes.empty()) BIO_read(output_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

std::string_view TlsClient::version() const { return SSL_get_version(ssl_); }

std::string TlsClient::server_name() const {
  const openssl::Certificate certificate{SSL_get1_peer_certificate(ssl_)};
  if (!certificate) return "";
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

}  // namespace larder::test
