// One client's socket: carries bytes to its session and replies back.
//
// A batch costs one read and one write system call: whatever has arrived is read
// into a buffer that the thread's connections share, and the replies of all of it
// are written at once. A read that does not fill that buffer has emptied the
// socket, so there is none that finds nothing. Only what the socket does not take
// is kept, and then nothing more is read until it does.
//
// With TLS, what the socket gives is decrypted before the session gets it, and
// replies are encrypted in pieces as the socket takes them.
//
// Threads: confined to its worker's, but for wake.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "server/admission.hpp"
#include "server/descriptor.hpp"
#include "server/poller.hpp"
#include "server/session.hpp"
#include "tls/tls_session.hpp"

namespace larder {

class Worker;

class Connection final : public Poller::Watcher, public std::enable_shared_from_this<Connection> {
 public:
  // The worker keeps the connection until the connection tells it to forget() it,
  // and to the end of that round. Without `tls` its client speaks plainly.
  Connection(Worker& worker, Descriptor socket, std::uint64_t id, boost::asio::ip::address client,
             Admission::Seat seat, std::unique_ptr<TlsSession> tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }

  // REQUIRES, of start(): the connection is held by shared_ptr. Called first, once.
  void start();
  void ready(Poller::Readiness readiness) override;
  // Reads what has arrived, if it may, and does what follows.
  void go_on();
  // Takes what has arrived, answers what was asked, and closes.
  void finish();
  // Closes now, whatever was asked.
  void close();

  // Closes it if its client had its time: to close first, to say something, or to
  // become somebody.
  void close_if_late(TimePoint now);

  // Limits or users changed.
  void notice_change();

  // Bytes of memory that it keeps for its client, and that others do.
  [[nodiscard]] std::size_t kept() const { return kept_ + session_->waiting_for_it(); }
  [[nodiscard]] const boost::asio::ip::address& client() const { return client_; }
  // Tells the client why, if it would understand and listens, and closes.
  void send_away(const std::string& why);

  [[nodiscard]] bool lingering() const { return lingers_until_ != Clock::time_point::max(); }

 private:
  using Clock = std::chrono::steady_clock;

  enum class Read : std::uint8_t { kSome, kNothing, kEnd };
  struct Received {
    Read outcome;
    std::string_view bytes;
  };

  Received receive();
  Read read_once();
  void decrypt();
  void discard_input();
  void await_room();
  void wake();
  void turn();
  void advance();
  bool send();
  bool send_plain();
  bool send_encrypted();
  enum class Sent : std::uint8_t { kSome, kNoRoom, kBroken };
  Sent sent(std::ptrdiff_t size);
  [[nodiscard]] bool unsent();
  void linger();
  [[nodiscard]] bool idle(TimePoint now) const;
  [[nodiscard]] bool nobody_too_long(TimePoint now) const;

  Worker* worker_;  // null once closed
  const std::uint64_t id_;
  const boost::asio::ip::address client_;
  const Admission::Seat seat_;
  Descriptor socket_;
  const std::unique_ptr<TlsSession> tls_;  // null: none
  bool readable_ = false;                  // something may lie in the socket
  bool end_came_ = false;                  // and nothing will follow it
  bool end_read_ = false;                  // nothing more can be read
  bool in_line_ = false;                   // the worker lets it go on
  bool awaits_room_ = false;               // the socket is full
  bool watches_room_ = false;              // it was full once
  std::size_t kept_ = 0;                   // as the worker counts it
  const TimePoint opened_at_;
  TimePoint stalled_at_{};  // when the socket was last found full
  // When it stops waiting for its client to close first; never, if it has not said all.
  Clock::time_point lingers_until_ = Clock::time_point::max();
  std::optional<Session> session_;  // from start() on
};

}  // namespace larder
