// What a server needs to speak TLS: its certificate, its key, and whose clients'
// certificates it takes. And what a client needs: whose certificates of servers it takes,
// and perhaps a certificate of its own.
//
// TLS 1.2 with forward secrecy and authenticated encryption, or TLS 1.3; no
// renegotiation, no compression. Tickets for resumption die with the context.
//
// Threads: a TlsContext is immutable; TlsCertificates may be used by any thread. A
// TlsSession keeps its context alive.
#pragma once

#include <openssl/bio.h>
#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "larder/error.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

// PEM files.
struct TlsFiles {
  std::string certificate;  // the server's own first, then those that lead to its root
  std::string key;          // without a passphrase
  std::string client_ca;    // empty: clients need no certificate; otherwise each needs one
                            // that one of these signed

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// PEM files, of a client.
struct TlsTrust {
  std::string ca{};           // who may have signed the server's certificate; empty: the system's
  std::string certificate{};  // to show to the server; empty: none
  std::string key{};          // of it, without a passphrase
};

class TlsContext {
 public:
  // Reads the files, at most 1 MiB each. Errors name the file, what is wrong and
  // what to do, and never repeat what a file holds.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);
  // The same for a client, which always verifies its server: chain, name and time.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> for_client(const TlsTrust& trust);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // When a server's certificate ends; clients refuse it from then on.
  [[nodiscard]] std::chrono::system_clock::time_point expires() const { return expires_; }

  // For TlsSession: what sessions are made of, and how their bytes come and go.
  [[nodiscard]] SSL_CTX* native() const { return context_; }
  [[nodiscard]] const BIO_METHOD* wire() const { return wire_; }

 private:
  explicit TlsContext(SSL_CTX* context);  // null: there was no memory for it

  [[nodiscard]] Result<void> use_trust(const std::string& ca);
  [[nodiscard]] Result<void> use_certificate(const std::string& file);
  [[nodiscard]] Result<void> use_key(const std::string& file, const std::string& certificate);
  [[nodiscard]] Result<void> use_client_ca(const std::string& file);

  SSL_CTX* context_;
  BIO_METHOD* wire_;
  std::chrono::system_clock::time_point expires_;
};

// The context that new connections use, replaceable while the server runs.
class TlsCertificates {
 public:
  [[nodiscard]] static Result<std::shared_ptr<TlsCertificates>> load(const TlsFiles& files);

  [[nodiscard]] std::shared_ptr<const TlsContext> current() const LARDER_EXCLUDES(mutex_);
  // Reads the files again, or others. An error changes nothing: new connections go on
  // with what was good. Connections that are open keep what they began with.
  [[nodiscard]] Result<void> reload(const TlsFiles& files) LARDER_EXCLUDES(mutex_);

 private:
  explicit TlsCertificates(std::shared_ptr<const TlsContext> first) : current_{std::move(first)} {}

  mutable Mutex mutex_;
  std::shared_ptr<const TlsContext> current_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
