// One I/O thread's share of a server: its connections, and what they share.
//
// Threads: confined to its I/O thread, but for the constructor and adopt(),
// finish() and abort(), which may be called by any.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>

#include "server/connection.hpp"
#include "server/session.hpp"
#include "tls/tls_context.hpp"

namespace larder {

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  // Without `certificates` its clients speak plainly.
  Worker(boost::asio::io_context& io, std::shared_ptr<ServerState> state, std::size_t thread,
         std::shared_ptr<TlsCertificates> certificates);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] const Counters& counters() const { return context_.counters; }

  // Takes over a socket, which was opened on io(). Any thread.
  using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                     boost::asio::io_context::executor_type>;
  void adopt(TcpSocket socket, std::uint64_t id);
  // Answers what was asked and closes all connections; then calls `done`, on its
  // own thread. Connections that come later are closed at once. Any thread, once.
  void finish(std::function<void()> done);
  // Closes what is still open. Any thread.
  void abort();

  // ---- For its connections. ----

  [[nodiscard]] SessionContext& context() { return context_; }
  [[nodiscard]] std::span<char> read_buffer() { return read_buffer_; }
  void forget(Connection& connection);
  void watch_lingering();

 private:
  void take(Connection::Socket socket, std::uint64_t id, boost::asio::ip::address client);
  void sweep();

  boost::asio::io_context& io_;
  const std::shared_ptr<ServerState> state_;
  const std::shared_ptr<TlsCertificates> certificates_;  // null: no TLS
  SessionContext context_;
  boost::asio::steady_timer sweep_timer_;
  bool sweeping_ = false;
  bool finishing_ = false;
  std::function<void()> done_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;  // by id
  std::array<char, std::size_t{64} << 10> read_buffer_;  // whoever reads, during one turn
};

}  // namespace larder
