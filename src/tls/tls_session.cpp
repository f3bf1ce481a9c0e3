#include "tls/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cassert>
#include <new>
#include <string>
#include <utility>

#include "tls/openssl.hpp"

namespace larder {

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context) : context_{std::move(context)} {
  make();
  SSL_set_accept_state(ssl_);
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, const std::string& server)
    : context_{std::move(context)} {
  make();
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl_);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, server.c_str()) != 1) {  // it is a name
    ERR_clear_error();
    SSL_set1_host(ssl_, server.c_str());
    SSL_set_tlsext_host_name(ssl_, server.c_str());
  }
  SSL_set_connect_state(ssl_);
}

void TlsSession::make() {
  ssl_ = SSL_new(context_->native());
  BIO* bio = ssl_ == nullptr ? nullptr : make_wire_bio(context_->wire(), wire_);
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc{};
  }
  SSL_set_bio(ssl_, bio, bio);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

std::size_t TlsSession::read(std::span<char> room) {
  if (broken() || ended_) return 0;
  ERR_clear_error();
  if (!open_) {
    const int outcome = SSL_do_handshake(ssl_);
    note(outcome);
    drop_used_input();
    if (outcome != 1) return 0;
    open_ = true;
  }
  std::size_t size = 0;
  note(SSL_read_ex(ssl_, room.data(), room.size(), &size));
  drop_used_input();
  return size;
}

bool TlsSession::pending() const {
  if (broken() || ended_) return false;
  return wire_.used < wire_.input.size() || SSL_pending(ssl_) > 0;
}

void TlsSession::write(std::string_view bytes) {
  assert(open_ && !broken());
  if (bytes.empty()) return;
  ERR_clear_error();
  std::size_t size = 0;
  note(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &size));
  assert(broken() || size == bytes.size());  // output takes everything
}

void TlsSession::close() {
  if (broken() || !open_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsSession::sent(std::size_t size) {
  assert(size <= wire_.output.size());
  if (size == wire_.output.size()) {
    std::string{}.swap(wire_.output);  // an idle session keeps no memory
  } else {
    wire_.output.erase(0, size);
  }
}

// Takes what OpenSSL said of an operation.
void TlsSession::note(int outcome) {
  if (outcome == 1) return;
  switch (SSL_get_error(ssl_, outcome)) {
    case SSL_ERROR_WANT_READ: return;
    case SSL_ERROR_ZERO_RETURN: ended_ = true; return;
    default: error_ = openssl::take_error();
  }
  // On the other side's certificate, if it had one.
  const long verdict = SSL_get_verify_result(ssl_);
  if (verdict == X509_V_OK) return;
  error_ += std::string{" ("} + X509_verify_cert_error_string(verdict) + ')';
}

void TlsSession::drop_used_input() {
  if (wire_.used < wire_.input.size()) return;
  std::string{}.swap(wire_.input);
  wire_.used = 0;
}

}  // namespace larder
