// One connection's TLS, the server's side or a client's: bytes from the socket in, plain
// bytes out, and the other way round. A client's first read() begins the handshake.
//
// Logic without I/O. The owner carries bytes between a socket and the session:
//
//   tls.take(from_socket);
//   while ((size = tls.read(room)) > 0) use(room.first(size));
//   if (tls.open() && !tls.broken()) tls.write(reply);
//   tls.sent(socket.write_some(tls.output()));   // output() may hold bytes after any call
//
// Bounded: it holds what take() brought and read() did not ask for, what output()
// shows, and OpenSSL's state of one record each way while one is under way.
//
// Cost: a handshake computes one signature (0.1 ms for an EC key, 1 ms for RSA 2048)
// on the calling thread.
//
// Threads: confined to one.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tls/tls_context.hpp"
#include "tls/wire.hpp"

namespace larder {

class TlsSession {
 public:
  explicit TlsSession(std::shared_ptr<const TlsContext> context);
  // A client's, with a server that must prove to be `server`, a name or an address.
  // REQUIRES: a context for clients.
  TlsSession(std::shared_ptr<const TlsContext> context, const std::string& server);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Takes bytes that came from the socket.
  void take(std::string_view bytes) { wire_.input.append(bytes); }
  // Goes on with the handshake, then gives plain bytes, as many as there are and fit.
  // 0: none now; more from the socket may bring some, unless ended() or broken().
  [[nodiscard]] std::size_t read(std::span<char> room);

  // Whether read() may give something, or go on, without more from the socket.
  [[nodiscard]] bool pending() const;

  // Whether the handshake is done, before which nothing can be written.
  [[nodiscard]] bool open() const { return open_; }
  // The peer said that it sends no more.
  [[nodiscard]] bool ended() const { return ended_; }
  // Nothing can be read or written any more; output() may still tell the peer why.
  [[nodiscard]] bool broken() const { return !error_.empty(); }
  // Why, in OpenSSL's words: "no shared cipher". Empty unless broken.
  [[nodiscard]] const std::string& error() const { return error_; }

  // Puts plain bytes, all of them, encrypted behind output(). REQUIRES: open(), !broken().
  void write(std::string_view bytes);
  // Tells the peer that nothing more will be written.
  void close();

  // Bytes for the socket. Valid until the next call of another member.
  [[nodiscard]] std::string_view output() const { return wire_.output; }
  // So many bytes at the front of output() are sent.
  void sent(std::size_t size);

 private:
  void make();
  void note(int outcome);
  void drop_used_input();

  const std::shared_ptr<const TlsContext> context_;
  Wire wire_;
  SSL* ssl_ = nullptr;
  bool open_ = false;
  bool ended_ = false;
  std::string error_;
};

}  // namespace larder
