#include "redis/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "resp/request_writer.hpp"

namespace larder::redis {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRoom = 64UL << 10;  // bytes of one read
constexpr std::size_t kPieces = 64;        // of one write
constexpr std::chrono::milliseconds kLook{10};

// In RESP3 a subscription is answered by a pushed message.
bool confirms_subscription(const resp::Reply& message) {
  return !message.items.empty() && message.items.front().text == "ssubscribe";
}

}  // namespace

Connection::Connection(asio::any_io_executor executor, const RedisUrl& url, Expect expect,
                       std::shared_ptr<const TlsContext> tls, std::atomic<std::size_t>& waiting,
                       Refill refill, Push push)
    : socket_{executor},
      patience_{executor},
      url_{url},
      expect_{expect},
      waiting_{waiting},
      refill_{std::move(refill)},
      push_{std::move(push)},
      room_(kRoom) {
  if (tls) tls_.emplace(std::move(tls), url.host);
}

Error Connection::trouble(std::string why) const {
  return {Errc::kSourceFailed, url_.place() + " " + std::move(why)};
}

// ---- Opening. ----

awaitable<Result<Session>> Connection::open(Duration patience) {
  const auto self = shared_from_this();
  patience_.expires_after(patience);
  patience_.async_wait([weak = weak_from_this()](error_code stopped) {
    const auto late = weak.lock();
    if (!stopped && late) late->stop(late->trouble("does not answer in time"));
  });
  Session session;
  Result<void> done = co_await connect();
  if (done && tls_) done = co_await open_tls();
  if (done) done = co_await shake_hands(session);
  patience_.cancel();
  if (end_) co_return std::unexpected{*end_};
  if (!done) co_return std::unexpected{std::move(done.error())};
  co_return session;
}

awaitable<Result<void>> Connection::connect() {
  if (!url_.socket.empty()) {
    const asio::local::stream_protocol::endpoint endpoint{url_.socket};
    const auto [error] = co_await socket_.async_connect(endpoint, kAwait);
    if (error) co_return std::unexpected{trouble("cannot be reached: " + error.message())};
    co_return Result<void>{};
  }
  asio::ip::tcp::resolver resolver{socket_.get_executor()};
  const auto [unknown, found] =
      co_await resolver.async_resolve(url_.host, std::to_string(url_.port), kAwait);
  if (unknown) co_return std::unexpected{trouble("cannot be found: " + unknown.message())};
  error_code last = asio::error::host_not_found;
  for (const auto& entry : found) {
    if (end_) co_return std::unexpected{*end_};
    error_code ignored;
    socket_.close(ignored);
    const auto [error] = co_await socket_.async_connect(entry.endpoint(), kAwait);
    last = error;
    if (!error) break;
  }
  if (last) co_return std::unexpected{trouble("cannot be reached: " + last.message())};
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.set_option(asio::socket_base::keep_alive{true}, ignored);
  co_return Result<void>{};
}

awaitable<Result<void>> Connection::open_tls() {
  for (;;) {
    if (auto done = arrived({}); !done) co_return done;
    if (auto done = co_await send({}); !done) co_return done;
    if (tls_->open()) co_return Result<void>{};
    if (auto done = co_await receive(); !done) co_return done;
  }
}

awaitable<Result<void>> Connection::shake_hands(Session& session) {
  Handshake handshake{url_, expect_};
  for (;;) {
    resp::OutputBuffer buffer;
    resp::RequestWriter{buffer}.command(handshake.command());
    std::array<std::string_view, kPieces> pieces;
    std::string bytes;
    for (std::size_t i = 0, count = buffer.gather(pieces); i < count; ++i) bytes += pieces[i];
    if (auto done = co_await send(std::move(bytes)); !done) co_return done;
    const auto reply = co_await next_reply();
    if (!reply) co_return std::unexpected{reply.error()};
    switch (handshake.take(*reply)) {
      case Handshake::Step::kSend: break;
      case Handshake::Step::kFailed: co_return std::unexpected{handshake.error()};
      case Handshake::Step::kDone: session = handshake.session(); co_return Result<void>{};
    }
  }
}

// All of `bytes`, before there are requests.
awaitable<Result<void>> Connection::send(std::string bytes) {
  if (tls_) {
    if (!bytes.empty()) tls_->write(bytes);
    bytes = tls_->output();
    tls_->sent(bytes.size());
  }
  const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(bytes), kAwait);
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  co_return Result<void>{};
}

awaitable<Result<void>> Connection::receive() {
  const auto [error, size] = co_await socket_.async_read_some(asio::buffer(room_), kAwait);
  if (error == asio::error::eof) co_return std::unexpected{trouble("closed the connection")};
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  co_return arrived({room_.data(), size});
}

awaitable<Result<resp::Reply>> Connection::next_reply() {
  for (;;) {
    const auto outcome = decoder_.decode(received_);
    received_.erase(0, decoder_.consumed());
    switch (outcome) {
      case resp::ReplyDecoder::Outcome::kReply: co_return decoder_.take();
      case resp::ReplyDecoder::Outcome::kPush: (void)decoder_.take(); continue;
      case resp::ReplyDecoder::Outcome::kError:
        co_return std::unexpected{trouble("does not speak Redis's protocol: " + decoder_.error())};
      case resp::ReplyDecoder::Outcome::kNeedMore: break;
    }
    if (auto done = co_await receive(); !done) co_return std::unexpected{std::move(done.error())};
  }
}

// ---- Serving. ----

awaitable<Error> Connection::serve() {
  const auto self = shared_from_this();
  flush();
  while (!end_) {
    Result<void> done = co_await receive();
    if (done) done = decode_all();
    if (!done) stop(std::move(done.error()));
  }
  co_return *end_;
}

void Connection::stop(Error why) {
  if (end_) return;
  end_ = std::move(why);
  error_code ignored;
  patience_.cancel();
  socket_.close(ignored);
  fail_all();
}

Result<void> Connection::arrived(std::string_view bytes) {
  last_received_ = std::chrono::steady_clock::now();
  if (!tls_) {
    received_ += bytes;
    return {};
  }
  tls_->take(bytes);
  std::array<char, 16UL << 10> plain{};
  while (const std::size_t size = tls_->read(plain)) received_.append(plain.data(), size);
  if (tls_->broken()) return std::unexpected{trouble("fails in TLS: " + tls_->error())};
  if (tls_->ended()) return std::unexpected{trouble("closed the connection")};
  return {};
}

Result<void> Connection::decode_all() {
  std::size_t used = 0;
  for (;;) {
    const auto outcome = decoder_.decode(std::string_view{received_}.substr(used));
    used += decoder_.consumed();
    if (outcome == resp::ReplyDecoder::Outcome::kNeedMore) break;
    if (outcome == resp::ReplyDecoder::Outcome::kError) {
      return std::unexpected{trouble("does not speak Redis's protocol: " + decoder_.error())};
    }
    resp::Reply reply = decoder_.take();
    if (outcome == resp::ReplyDecoder::Outcome::kPush && !confirms_subscription(reply)) {
      push_(reply);
      continue;
    }
    if (auto done = answered(std::move(reply)); !done) return done;
  }
  received_.erase(0, used);
  return {};
}

Result<void> Connection::answered(resp::Reply reply) {
  if (in_flight_.empty()) return std::unexpected{trouble("answers what nobody asked")};
  const bool read_only = reply.is_error() && reply.text.starts_with("READONLY");
  deliver(std::move(reply));
  if (read_only) return std::unexpected{trouble("has become a replica")};
  return {};
}

void Connection::deliver(resp::Reply reply) {
  Request& oldest = in_flight_.front();
  oldest.replies.push_back(std::move(reply));
  if (oldest.replies.size() < oldest.commands) return;
  Request whole = std::move(oldest);
  in_flight_.pop_front();
  waiting_.fetch_sub(whole.commands, std::memory_order_relaxed);
  if (whole.done) whole.done(std::move(whole.replies));
}

void Connection::flush() {
  if (writing_ || end_) return;
  while (sending_->empty()) {
    if (!refill_(sending_, in_flight_)) return;
  }
  watch();
  write_some();
}

void Connection::write_some() {
  writing_ = true;
  if (tls_) encrypt();
  std::array<std::string_view, kPieces> pieces;
  std::vector<asio::const_buffer> buffers;
  if (tls_) {
    buffers.emplace_back(asio::buffer(encrypted_));
  } else {
    const std::size_t count = sending_->gather(pieces);
    for (std::size_t i = 0; i < count; ++i)
      buffers.emplace_back(pieces[i].data(), pieces[i].size());
  }
  asio::async_write(socket_, buffers,
                    [self = shared_from_this()](error_code error, std::size_t size) {
                      self->writing_ = false;
                      if (error) return self->stop(self->trouble("was lost: " + error.message()));
                      if (!self->tls_) self->sending_->consume(size);
                      if (!self->sending_->empty() && !self->end_) return self->write_some();
                      self->flush();
                    });
}

// Moves some of what is to be sent through TLS.
void Connection::encrypt() {
  std::array<std::string_view, kPieces> pieces;
  const std::size_t count = sending_->gather(pieces);
  for (std::size_t i = 0; i < count; ++i) {
    tls_->write(pieces[i]);
    sending_->consume(pieces[i].size());
  }
  encrypted_ = tls_->output();
  tls_->sent(encrypted_.size());
}

// ---- Time. ----

void Connection::watch() {
  if (std::exchange(watching_, true)) return;
  patience_.expires_after(kLook);
  patience_.async_wait([weak = weak_from_this()](error_code stopped) {
    const auto self = weak.lock();
    if (!self || stopped) return;
    self->watching_ = false;
    self->look();
  });
}

// Tells those whose time is up. One that waited so long without the server having said
// anything at all means that it hangs, or that the way to it is cut.
void Connection::look() {
  const TimePoint now = std::chrono::steady_clock::now();
  bool silent = false;
  std::vector<Done> late;
  for (Request& request : in_flight_) {
    if (request.deadline > now || !request.done) continue;
    silent = silent || last_received_ < request.sent;
    late.push_back(std::exchange(request.done, nullptr));
  }
  for (Done& done : late) {
    done(fail(Errc::kTimeout, url_.place() + " does not answer in time"));
  }
  if (silent) return stop(trouble("says nothing any more"));
  if (!in_flight_.empty()) watch();
}

void Connection::fail_all() {
  std::deque<Request> lost = std::move(in_flight_);
  in_flight_.clear();
  for (Request& request : lost) {
    waiting_.fetch_sub(request.commands, std::memory_order_relaxed);
    if (request.done) request.done(std::unexpected{*end_});
  }
}

}  // namespace larder::redis
