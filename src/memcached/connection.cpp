#include "memcached/connection.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

namespace larder::memcached {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRoom = 64UL << 10;  // bytes of one read
constexpr std::size_t kPieces = 64;        // of one write
constexpr std::chrono::milliseconds kLook{10};

}  // namespace

Connection::Connection(asio::any_io_executor executor, const Place& place,
                       std::atomic<std::size_t>& waiting, Refill refill)
    : socket_{executor},
      patience_{executor},
      place_{place},
      waiting_{waiting},
      refill_{std::move(refill)},
      room_(kRoom) {}

Error Connection::trouble(std::string why) const {
  return {Errc::kSourceFailed, to_string(place_) + " " + std::move(why)};
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
  if (done) done = co_await shake_hands(session);
  patience_.cancel();
  if (end_) co_return std::unexpected{*end_};
  if (!done) co_return std::unexpected{std::move(done.error())};
  co_return session;
}

awaitable<Result<void>> Connection::connect() {
  if (!place_.socket.empty()) {
    const asio::local::stream_protocol::endpoint endpoint{place_.socket};
    const auto [error] = co_await socket_.async_connect(endpoint, kAwait);
    if (error) co_return std::unexpected{trouble("cannot be reached: " + error.message())};
    co_return Result<void>{};
  }
  asio::ip::tcp::resolver resolver{socket_.get_executor()};
  const auto [unknown, found] =
      co_await resolver.async_resolve(place_.host, std::to_string(place_.port), kAwait);
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

awaitable<Result<void>> Connection::shake_hands(Session& session) {
  MetaWriter writer{*sending_};
  Handshake::write(writer);
  std::string_view asked;
  (void)sending_->gather({&asked, 1});
  const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(asked), kAwait);
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  sending_->consume(size);

  Handshake handshake{to_string(place_)};
  for (;;) {
    std::size_t used = 0;
    auto reply = next(used);
    if (!reply) co_return std::unexpected{std::move(reply.error())};
    received_.erase(0, used);
    if (!*reply) {
      if (auto done = co_await receive(); !done) co_return done;
      continue;
    }
    switch (handshake.take(**reply)) {
      case Handshake::Step::kWait: break;
      case Handshake::Step::kFailed: co_return std::unexpected{handshake.error()};
      case Handshake::Step::kDone: session = handshake.session(); co_return Result<void>{};
    }
  }
}

awaitable<Result<void>> Connection::receive() {
  const auto [error, size] = co_await socket_.async_read_some(asio::buffer(room_), kAwait);
  if (error == asio::error::eof) co_return std::unexpected{trouble("closed the connection")};
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  last_received_ = std::chrono::steady_clock::now();
  received_.append(room_.data(), size);
  co_return Result<void>{};
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

Result<std::optional<MetaReply>> Connection::next(std::size_t& used) const {
  DecodedReply decoded = decode_reply(std::string_view{received_}.substr(used));
  using Outcome = DecodedReply::Outcome;
  if (decoded.outcome == Outcome::kError) {
    return std::unexpected{trouble("does not speak Memcached's protocol: it " + decoded.error)};
  }
  if (decoded.outcome == Outcome::kNeedMore) return std::nullopt;
  used += decoded.consumed;
  return std::move(decoded.reply);
}

Result<void> Connection::decode_all() {
  std::size_t used = 0;
  for (;;) {
    auto reply = next(used);
    if (!reply) return std::unexpected{std::move(reply.error())};
    if (!*reply) break;
    if (auto done = answered(std::move(**reply)); !done) return done;
  }
  received_.erase(0, used);
  return {};
}

// What the server cannot parse it answers with as many errors as it sees lines, so behind an
// ERROR nobody knows what answers what. No command of larder's is one.
Result<void> Connection::answered(MetaReply reply) {
  if (in_flight_.empty()) return std::unexpected{trouble("answers what nobody asked")};
  if (reply.is_error() && !reply.text.starts_with("SERVER_ERROR")) {
    return std::unexpected{trouble("does not understand a command: " + reply.text.substr(0, 200))};
  }
  Request& oldest = in_flight_.front();
  oldest.replies.push_back(std::move(reply));
  if (oldest.replies.size() < oldest.commands) return {};
  Request whole = std::move(oldest);
  in_flight_.pop_front();
  waiting_.fetch_sub(whole.commands, std::memory_order_relaxed);
  if (whole.done) whole.done(std::move(whole.replies));
  return {};
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
  std::array<std::string_view, kPieces> pieces;
  std::vector<asio::const_buffer> buffers;
  const std::size_t count = sending_->gather(pieces);
  for (std::size_t i = 0; i < count; ++i) buffers.emplace_back(pieces[i].data(), pieces[i].size());
  asio::async_write(socket_, buffers,
                    [self = shared_from_this()](error_code error, std::size_t size) {
                      self->writing_ = false;
                      if (error) return self->stop(self->trouble("was lost: " + error.message()));
                      self->sending_->consume(size);
                      if (!self->sending_->empty() && !self->end_) return self->write_some();
                      self->flush();
                    });
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
  for (Done& done : late)
    done(fail(Errc::kTimeout, to_string(place_) + " does not answer in time"));
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

}  // namespace larder::memcached
