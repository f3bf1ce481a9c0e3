// The bytes of one connection to a server: TCP or a Unix socket, TLS or plain.
//
// Threads: confined to the thread of its executor. Lifetime: it outlives what it has begun;
// its owner sees to that.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "pipeline/protocol.hpp"
#include "resp/output_buffer.hpp"
#include "tls/tls_session.hpp"

namespace larder::pipeline {

class Stream {
 public:
  // `tls` is null for plain ones.
  Stream(const boost::asio::any_io_executor& executor, Place place,
         std::shared_ptr<const TlsContext> tls);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Errors of all that follows: kSourceFailed, a sentence that names the place.

  // Connects; with TLS, until that is open.
  [[nodiscard]] boost::asio::awaitable<Result<void>> open();
  // All that is in the buffer, which loses it. Not beside write_some().
  [[nodiscard]] boost::asio::awaitable<Result<void>> send(resp::OutputBuffer& bytes);
  // Waits for bytes and has them behind received().
  [[nodiscard]] boost::asio::awaitable<Result<void>> receive();
  // Some of what is in the buffer, which loses it. The buffer, and what owns this, live until
  // `written` is called.
  using Written = std::function<void(Result<void>)>;
  void write_some(resp::OutputBuffer& bytes, Written written);

  // All that waits ends with an error.
  void close();

  [[nodiscard]] std::string& received() { return received_; }  // and not decoded
  [[nodiscard]] TimePoint last_received() const { return last_received_; }
  [[nodiscard]] bool over_tls() const { return tls_.has_value(); }
  // Whether it was connected to and has said nothing yet, or TLS to who speaks none, or something
  // else to who speaks TLS.
  [[nodiscard]] bool says_nothing_that_fits() const { return connected_ && !fits_; }
  [[nodiscard]] const std::string& name() const { return place_.name; }
  [[nodiscard]] Error trouble(std::string why) const;

 private:
  [[nodiscard]] boost::asio::awaitable<Result<void>> connect();
  [[nodiscard]] boost::asio::awaitable<Result<void>> open_tls();
  [[nodiscard]] boost::asio::awaitable<Result<void>> send_bytes(std::string bytes);
  // Has the plain bytes of a read behind received_; what is wrong with them.
  [[nodiscard]] Result<void> arrived(std::string_view bytes);
  void encrypt(resp::OutputBuffer& bytes);

  boost::asio::generic::stream_protocol::socket socket_;
  const Place place_;
  bool closed_ = false;
  bool connected_ = false;
  bool fits_ = false;  // what came first
  std::optional<TlsSession> tls_;
  std::vector<char> room_;  // for one read
  std::string received_;
  TimePoint last_received_{};
  std::string encrypted_;  // on its way
};

}  // namespace larder::pipeline
