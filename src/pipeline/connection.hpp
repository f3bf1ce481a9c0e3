// One connection to a server that answers commands in their order, from connecting to its end.
//
// Protocol is what the server speaks, as protocol.hpp says.
//
// Threads: confined to the thread of its executor. Held by shared_ptr, since the system may be
// at work on its socket while its owner lets go.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "pipeline/protocol.hpp"
#include "pipeline/request.hpp"
#include "pipeline/stream.hpp"
#include "resp/output_buffer.hpp"

namespace larder::pipeline {

template <class Protocol>
class Connection : public std::enable_shared_from_this<Connection<Protocol>> {
 public:
  using Reply = typename Protocol::Reply;
  using Session = typename Protocol::Session;
  using Requests = std::deque<Request<Reply>>;
  // More to send, swapped for what it gets; false: there is none.
  using Refill = std::function<bool(std::unique_ptr<resp::OutputBuffer>&, Requests&)>;
  using Push = std::function<void(const Reply&)>;

  // `tls` is null for plain connections. `waiting` counts the commands that were refilled
  // and have no reply; the connection counts down.
  Connection(const boost::asio::any_io_executor& executor, Protocol protocol,
             std::shared_ptr<const TlsContext> tls, std::atomic<std::size_t>& waiting,
             Refill refill, Push push);

  // Connects and shakes hands, for at most `patience`. `known`: it is as it was, TLS or none.
  [[nodiscard]] boost::asio::awaitable<Result<Session>> open(Duration patience, bool known);
  // Carries requests and replies until the connection ends; why it did. What then waits
  // for a reply has got that as its error.
  [[nodiscard]] boost::asio::awaitable<Error> serve();

  // There may be more to send.
  void flush();
  // Ends it at once: open() and serve() return.
  void stop(Error why);

 private:
  [[nodiscard]] boost::asio::awaitable<Result<void>> shake_hands(Session& session);
  [[nodiscard]] boost::asio::awaitable<Result<Reply>> next_reply();

  [[nodiscard]] Error gibberish() const;
  // The error, with a hint where TLS, or none, may be why.
  [[nodiscard]] Error doubting_tls(Error why) const;
  [[nodiscard]] Result<void> decode_all();
  [[nodiscard]] Result<void> answered(Reply&& reply);
  void deliver(Reply&& reply);
  void write_some();
  void watch();
  void look();
  void fail_all();

  Protocol protocol_;
  Stream stream_;
  boost::asio::steady_timer patience_;
  std::atomic<std::size_t>& waiting_;
  const Refill refill_;
  const Push push_;

  std::unique_ptr<resp::OutputBuffer> sending_ = std::make_unique<resp::OutputBuffer>();
  bool writing_ = false;
  bool watching_ = false;
  Requests in_flight_;
  std::optional<Error> end_;  // why it stopped
};

}  // namespace larder::pipeline
