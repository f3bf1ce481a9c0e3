#include "tls/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "tls/openssl.hpp"

namespace larder::test {
namespace {

void demand(bool done) {
  if (!done) throw std::runtime_error{"OpenSSL: " + openssl::take_error()};
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  demand(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return text_of(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  demand(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(bio.get());
}

openssl::Key read_key(const std::string& pem) {
  const openssl::Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  openssl::Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
  demand(key != nullptr);
  return key;
}

openssl::Certificate read_certificate(const std::string& pem) {
  const openssl::Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  openssl::Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  demand(certificate != nullptr);
  return certificate;
}

void extend(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  demand(extension != nullptr);
  demand(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// A certificate for `key`, without extensions, issuer and signature.
openssl::Certificate prepare(EVP_PKEY* key, const std::string& name, std::chrono::seconds lives) {
  openssl::Certificate certificate{X509_new()};
  demand(certificate != nullptr);
  X509* x = certificate.get();
  std::uint64_t serial = 0;
  demand(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(x, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), static_cast<long>(lives.count()));
  X509_set_pubkey(x, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

Certificate make_authority(const std::string& name) {
  const openssl::Key key{EVP_EC_gen("P-256")};
  const auto certificate = prepare(key.get(), name, std::chrono::hours{1});
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate.get(), NID_key_usage, "critical,keyCertSign");
  demand(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  return {to_pem(certificate.get()), to_pem(key.get())};
}

Certificate issue(const Certificate& authority, const std::string& name,
                  std::chrono::seconds lives) {
  const openssl::Key signer = read_key(authority.key);
  const auto root = read_certificate(authority.certificate);
  const openssl::Key key{EVP_EC_gen("P-256")};
  const auto certificate = prepare(key.get(), name, lives);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(root.get()));
  extend(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  demand(X509_sign(certificate.get(), signer.get(), EVP_sha256()) > 0);
  return {to_pem(certificate.get()), to_pem(key.get())};
}

std::string with_passphrase(const std::string& key) {
  const openssl::Key plain = read_key(key);
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  const unsigned char phrase[] = "phrase";
  demand(PEM_write_bio_PrivateKey(bio.get(), plain.get(), EVP_aes_256_cbc(), phrase,
                                  sizeof phrase - 1, nullptr, nullptr) == 1);
  return text_of(bio.get());
}

}  // namespace larder::test
