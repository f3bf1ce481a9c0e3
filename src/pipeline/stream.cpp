#include "pipeline/stream.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace larder::pipeline {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRoom = 64UL << 10;  // bytes of one read
constexpr std::size_t kPieces = 64;        // of one write

// The first byte of TLS's records (RFC 8446, 5.1).
constexpr char kFirstType = 20;
constexpr char kAlert = 21;
constexpr char kLastType = 24;

bool is_tls(char first) { return first >= kFirstType && first <= kLastType; }

}  // namespace

Stream::Stream(const asio::any_io_executor& executor, Place place,
               std::shared_ptr<const TlsContext> tls)
    : socket_{executor}, place_{std::move(place)}, room_(kRoom) {
  if (tls) tls_.emplace(std::move(tls), place_.host);
}

Error Stream::trouble(std::string why) const {
  return {Errc::kSourceFailed, place_.name + " " + std::move(why)};
}

void Stream::close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
}

// ---- Opening. ----

awaitable<Result<void>> Stream::open() {
  Result<void> done = co_await connect();
  connected_ = done.has_value();
  if (done && tls_) done = co_await open_tls();
  co_return done;
}

awaitable<Result<void>> Stream::connect() {
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
    if (closed_) co_return std::unexpected{trouble("was given up")};
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

awaitable<Result<void>> Stream::open_tls() {
  for (;;) {
    if (auto done = arrived({}); !done) co_return done;
    if (auto done = co_await send_bytes(std::string{}); !done) co_return done;
    if (tls_->open()) co_return Result<void>{};
    if (auto done = co_await receive(); !done) co_return done;
  }
}

// ---- Bytes. ----

awaitable<Result<void>> Stream::send(resp::OutputBuffer& bytes) {
  std::string whole;
  while (!bytes.empty()) {
    std::string_view piece;
    (void)bytes.gather({&piece, 1});
    whole += piece;
    bytes.consume(piece.size());
  }
  co_return co_await send_bytes(std::move(whole));
}

awaitable<Result<void>> Stream::send_bytes(std::string bytes) {
  if (tls_) {
    if (!bytes.empty()) tls_->write(bytes);
    bytes = tls_->output();
    tls_->sent(bytes.size());
  }
  const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(bytes), kAwait);
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  co_return Result<void>{};
}

awaitable<Result<void>> Stream::receive() {
  const auto [error, size] = co_await socket_.async_read_some(asio::buffer(room_), kAwait);
  if (error == asio::error::eof) co_return std::unexpected{trouble("closed the connection")};
  if (error) co_return std::unexpected{trouble("was lost: " + error.message())};
  co_return arrived({room_.data(), size});
}

Result<void> Stream::arrived(std::string_view bytes) {
  if (!bytes.empty() && !fits_) fits_ = tls_ ? is_tls(bytes.front()) : bytes.front() != kAlert;
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

void Stream::write_some(resp::OutputBuffer& bytes, Written written) {
  if (tls_) encrypt(bytes);
  std::array<std::string_view, kPieces> pieces;
  std::vector<asio::const_buffer> buffers;
  if (tls_) {
    buffers.emplace_back(asio::buffer(encrypted_));
  } else {
    const std::size_t count = bytes.gather(pieces);
    for (std::size_t i = 0; i < count; ++i)
      buffers.emplace_back(pieces[i].data(), pieces[i].size());
  }
  asio::async_write(
      socket_, buffers,
      [this, &bytes, written = std::move(written)](error_code error, std::size_t size) {
        if (error) return written(std::unexpected{trouble("was lost: " + error.message())});
        if (!tls_) bytes.consume(size);
        written({});
      });
}

// Moves some of what is to be sent through TLS.
void Stream::encrypt(resp::OutputBuffer& bytes) {
  std::array<std::string_view, kPieces> pieces;
  const std::size_t count = bytes.gather(pieces);
  for (std::size_t i = 0; i < count; ++i) {
    tls_->write(pieces[i]);
    bytes.consume(pieces[i].size());
  }
  encrypted_ = tls_->output();
  tls_->sent(encrypted_.size());
}

}  // namespace larder::pipeline
