// One client's socket: carries bytes to its session and replies back.
//
// A batch costs one read and one write system call: whatever has arrived is read
// into a buffer that the thread's connections share, and the replies of all of it
// are written at once. Only what the socket does not take is kept, and then
// nothing more is read until it does.
//
// With TLS, what the socket gives is decrypted before the session gets it, and
// replies are encrypted in pieces as the socket takes them.
//
// Threads: confined to its worker's, but for wake.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "server/session.hpp"
#include "tls/tls_session.hpp"

namespace larder {

class Worker;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                  boost::asio::io_context::executor_type>;

  // The worker keeps the connection until the connection tells it to forget() it.
  // Without `tls` its client speaks plainly.
  Connection(Worker& worker, Socket socket, std::uint64_t id, boost::asio::ip::address client,
             std::unique_ptr<TlsSession> tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }

  // REQUIRES, of start(): the connection is held by shared_ptr. Called first, once.
  void start();
  // Takes what has arrived, answers what was asked, and closes.
  void finish();
  // Closes now, whatever was asked.
  void close();

  // When a connection that said all it had to say stops waiting for its client
  // to close first; never, if it has not said all.
  [[nodiscard]] std::chrono::steady_clock::time_point lingers_until() const {
    return lingers_until_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  enum class Read : std::uint8_t { kSome, kNothing, kEnd };

  void await_input();
  void input_came();
  Read read_once();
  void decrypt();
  void discard_input();
  void await_room();
  void wake();
  void turn();
  bool send();
  bool send_encrypted();
  [[nodiscard]] bool unsent();
  void linger();

  [[nodiscard]] bool lingering() const { return lingers_until_ != Clock::time_point::max(); }

  Worker* worker_;  // null once closed
  const std::uint64_t id_;
  const boost::asio::ip::address client_;
  Socket socket_;
  const std::unique_ptr<TlsSession> tls_;  // null: none
  bool awaits_input_ = false;
  bool awaits_room_ = false;
  Clock::time_point lingers_until_ = Clock::time_point::max();
  std::optional<Session> session_;  // from start() on
};

}  // namespace larder
