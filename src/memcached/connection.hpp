// One connection to a Memcached server, from connecting to its end.
//
// Threads: confined to the thread of its executor. Held by shared_ptr, since the
// system may be at work on its socket while its owner lets go.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "memcached/handshake.hpp"
#include "memcached/memcached_url.hpp"
#include "memcached/request.hpp"
#include "resp/output_buffer.hpp"

namespace larder::memcached {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // More to send, swapped for what it gets; false: there is none.
  using Refill = std::function<bool(std::unique_ptr<resp::OutputBuffer>&, std::deque<Request>&)>;

  // `waiting` counts the commands that were refilled and have no reply; the connection
  // counts down.
  Connection(boost::asio::any_io_executor executor, const Place& place,
             std::atomic<std::size_t>& waiting, Refill refill);

  // Connects and shakes hands, for at most `patience`.
  [[nodiscard]] boost::asio::awaitable<Result<Session>> open(Duration patience);
  // Carries requests and replies until the connection ends; why it did. What then waits
  // for a reply has got that as its error.
  [[nodiscard]] boost::asio::awaitable<Error> serve();

  // There may be more to send.
  void flush();
  // Ends it at once: open() and serve() return.
  void stop(Error why);

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;

  [[nodiscard]] boost::asio::awaitable<Result<void>> connect();
  [[nodiscard]] boost::asio::awaitable<Result<void>> shake_hands(Session& session);
  [[nodiscard]] boost::asio::awaitable<Result<void>> receive();

  // The next whole reply of received_ from `used` on, which it moves; none: more is needed.
  [[nodiscard]] Result<std::optional<MetaReply>> next(std::size_t& used) const;
  [[nodiscard]] Result<void> decode_all();
  [[nodiscard]] Result<void> answered(MetaReply reply);
  void write_some();
  void watch();
  void look();
  void fail_all();
  [[nodiscard]] Error trouble(std::string why) const;

  Socket socket_;
  boost::asio::steady_timer patience_;
  const Place place_;
  std::atomic<std::size_t>& waiting_;
  const Refill refill_;

  std::vector<char> room_;  // for one read
  std::string received_;    // and not decoded
  TimePoint last_received_{};

  std::unique_ptr<resp::OutputBuffer> sending_ = std::make_unique<resp::OutputBuffer>();
  bool writing_ = false;
  bool watching_ = false;
  std::deque<Request> in_flight_;
  std::optional<Error> end_;  // why it stopped
};

}  // namespace larder::memcached
