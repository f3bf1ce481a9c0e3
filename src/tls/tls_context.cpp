#include "tls/tls_context.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <new>
#include <string_view>
#include <system_error>

#include "tls/openssl.hpp"
#include "tls/wire.hpp"

namespace larder {

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

// Of TLS 1.2; those of 1.3 are all good.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

std::unexpected<Error> refuse(std::string_view what, const std::string& file,
                              const std::string& why) {
  return fail(Errc::kInvalidArgument, std::string{what} + ", " + file + ", " + why);
}

Result<std::string> read_pem(std::string_view what, const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return refuse(what, file, error ? "cannot be read: " + error.message() : "is no file");
  }
  std::ifstream stream{file, std::ios::binary};
  if (!stream) {
    const std::error_code reason{errno, std::generic_category()};
    return refuse(what, file, "cannot be read: " + reason.message());
  }
  std::string text(kMostBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMostBytes) {
    return refuse(what, file, "has more than 1 MiB; is it the right file?");
  }
  return text;
}

openssl::Bio over(const std::string& text) {
  openssl::Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (!bio) throw std::bad_alloc{};
  return bio;
}

// No passphrase: nobody is there to type one, and OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

openssl::Certificate next_certificate(BIO* pem) {
  bool asked = false;
  return openssl::Certificate{PEM_read_bio_X509(pem, nullptr, no_passphrase, &asked)};
}

// Whether reading stopped because there is no more, rather than at damage.
bool at_end() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// Calls use(X509*) for each certificate of the file, until it returns false.
template <class Use>
Result<void> each_certificate(std::string_view what, const std::string& file, Use use) {
  const auto text = read_pem(what, file);
  if (!text) return std::unexpected{text.error()};
  const openssl::Bio pem = over(*text);
  std::size_t count = 0;
  while (const openssl::Certificate certificate = next_certificate(pem.get())) {
    if (!use(certificate.get())) {
      return refuse(what, file, "is not taken: " + openssl::take_error());
    }
    ++count;
  }
  if (!at_end()) {
    return refuse(what, file, "holds a damaged certificate: " + openssl::take_error());
  }
  ERR_clear_error();
  if (count > 0) return {};
  return refuse(
      what, file,
      "holds no certificate in PEM (a text that begins with -----BEGIN CERTIFICATE-----)");
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

TlsContext::TlsContext(SSL_CTX* context) : context_{context}, wire_{make_wire_method()} {
  if (context_ == nullptr || wire_ == nullptr) {
    SSL_CTX_free(context_);
    BIO_meth_free(wire_);
    throw std::bad_alloc{};
  }
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context_, kCiphers);
  // The last: clients of Redis close without a word, and since requests have their
  // own ends, nothing can be cut off unseen.
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps none
  // Tickets resume sessions; the server keeps nothing.
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  constexpr std::string_view kName = "larder";
  SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>(kName.data()),
                                 static_cast<unsigned>(kName.size()));
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
  BIO_meth_free(wire_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> context{new TlsContext{SSL_CTX_new(TLS_server_method())}};
  auto done = context->use_certificate(files.certificate);
  if (done) done = context->use_key(files.key, files.certificate);
  if (done && !files.client_ca.empty()) done = context->use_client_ca(files.client_ca);
  ERR_clear_error();
  if (!done) return std::unexpected{done.error()};
  return context;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const TlsTrust& trust) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> context{new TlsContext{SSL_CTX_new(TLS_client_method())}};
  auto done = context->use_trust(trust.ca);
  if (done && !trust.certificate.empty()) {
    done = context->use_certificate(trust.certificate);
    if (done) done = context->use_key(trust.key, trust.certificate);
  }
  ERR_clear_error();
  if (!done) return std::unexpected{done.error()};
  return context;
}

Result<void> TlsContext::use_trust(const std::string& ca) {
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  if (ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context_) == 1) return {};
    return fail(Errc::kInvalidArgument,
                "the system's certificates cannot be read: " + openssl::take_error());
  }
  return each_certificate("the CA", ca, [&](X509* certificate) {
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), certificate) == 1;
  });
}

Result<void> TlsContext::use_certificate(const std::string& file) {
  bool first = true;
  return each_certificate("the certificate", file, [&](X509* certificate) {
    if (!std::exchange(first, false)) return SSL_CTX_add1_chain_cert(context_, certificate) == 1;
    expires_ = to_time(X509_get0_notAfter(certificate));
    return SSL_CTX_use_certificate(context_, certificate) == 1;
  });
}

Result<void> TlsContext::use_key(const std::string& file, const std::string& certificate) {
  auto text = read_pem("the key", file);
  if (!text) return std::unexpected{text.error()};
  bool asked = false;
  const openssl::Key key{
      PEM_read_bio_PrivateKey(over(*text).get(), nullptr, no_passphrase, &asked)};
  OPENSSL_cleanse(text->data(), text->size());
  if (asked) {
    return refuse("the key", file,
                  "has a passphrase, which nobody is there to type; write it without, with "
                  "`openssl pkey`");
  }
  if (!key) {
    return refuse("the key", file,
                  "holds no private key in PEM (a text that begins with -----BEGIN PRIVATE "
                  "KEY-----)");
  }
  if (SSL_CTX_use_PrivateKey(context_, key.get()) == 1) return {};
  return refuse("the key", file,
                "is not that of the certificate, " + certificate + ": " + openssl::take_error());
}

Result<void> TlsContext::use_client_ca(const std::string& file) {
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return each_certificate("the clients' CA", file, [&](X509* certificate) {
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), certificate) == 1 &&
           SSL_CTX_add_client_CA(context_, certificate) == 1;
  });
}

Result<std::shared_ptr<TlsCertificates>> TlsCertificates::load(const TlsFiles& files) {
  auto first = TlsContext::load(files);
  if (!first) return std::unexpected{first.error()};
  return std::shared_ptr<TlsCertificates>{new TlsCertificates{*std::move(first)}};
}

std::shared_ptr<const TlsContext> TlsCertificates::current() const {
  const MutexLock lock{mutex_};
  return current_;
}

Result<void> TlsCertificates::reload(const TlsFiles& files) {
  auto fresh = TlsContext::load(files);
  if (!fresh) return std::unexpected{fresh.error()};
  const MutexLock lock{mutex_};
  current_ = *std::move(fresh);
  return {};
}

}  // namespace larder
