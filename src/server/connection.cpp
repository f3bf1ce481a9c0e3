#include "server/connection.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <span>
#include <utility>

#include "server/worker.hpp"

namespace larder {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// How long a client has to close after it was told everything. Closing before
// it does would reset the connection and take the last replies with it.
constexpr std::chrono::milliseconds kLinger{500};

constexpr std::size_t kMostPieces = 16;                          // of one gathering write
constexpr std::size_t kEncryptedAtOnce = std::size_t{64} << 10;  // bytes
constexpr int kLastReads = 16;                                   // before a connection is finished

}  // namespace

Connection::Connection(Worker& worker, Socket socket, std::uint64_t id, asio::ip::address client,
                       std::unique_ptr<TlsSession> tls)
    : worker_{&worker},
      id_{id},
      client_{std::move(client)},
      socket_{std::move(socket)},
      tls_{std::move(tls)} {}

void Connection::start() {
  // Answers may come after the connection is gone.
  session_.emplace(
      worker_->context(), id_,
      [weak = weak_from_this(), executor = socket_.get_executor()] {
        asio::post(executor, [weak] {
          if (const auto self = weak.lock()) self->wake();
        });
      },
      client_);
  error_code ignored;
  socket_.non_blocking(true, ignored);
  await_input();
}

void Connection::await_input() {
  if (std::exchange(awaits_input_, true)) return;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->awaits_input_ = false;
    if (!error && self->worker_ != nullptr) self->input_came();
  });
}

void Connection::input_came() {
  if (lingering()) return discard_input();
  if (session_->wants_input()) read_once();
  turn();
}

// Reads once what has arrived.
Connection::Read Connection::read_once() {
  const auto room = worker_->read_buffer();
  error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(room.data(), room.size()), error);
  worker_->context().counters.reads.add();
  if (error == asio::error::would_block) return Read::kNothing;
  if (error) {  // end of file, or a connection that broke: writing will tell
    session_->end_input();
    return Read::kEnd;
  }
  if (tls_) {
    tls_->take({room.data(), size});
    decrypt();
  } else {
    session_->receive({room.data(), size});
  }
  return Read::kSome;
}

// Gives the session what arrived encrypted, as far as it wants it.
void Connection::decrypt() {
  const auto room = worker_->read_buffer();
  while (session_->wants_input()) {
    const std::size_t size = tls_->read(room);
    if (size == 0) break;
    session_->receive({room.data(), size});
  }
  if (tls_->broken()) worker_->context().counters.tls_failures.add();
  if (tls_->broken() || tls_->ended()) session_->end_input();
}

// The client may still be sending: what it sends is of no interest any more.
void Connection::discard_input() {
  const auto room = worker_->read_buffer();
  error_code error;
  socket_.read_some(asio::buffer(room.data(), room.size()), error);
  if (error && error != asio::error::would_block) return close();
  await_input();
}

void Connection::await_room() {
  if (std::exchange(awaits_room_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
    self->awaits_room_ = false;
    if (!error && self->worker_ != nullptr) self->turn();
  });
}

// Answers lie in the session's inbox.
void Connection::wake() {
  if (worker_ == nullptr) return;
  session_->collect();
  turn();
}

// After anything happened: sends what there is, goes on with what that lets go
// on, and waits for what comes next.
void Connection::turn() {
  ReplyQueue& replies = session_->replies();
  for (;;) {
    const bool had_some = !replies.ready().empty();
    if (!send()) return close();
    if (session_->blocked() && had_some && replies.ready().empty()) {
      session_->resume();
    } else if (tls_ && tls_->pending() && session_->wants_input()) {
      decrypt();
    } else {
      break;
    }
  }
  replies.keep();
  if (unsent()) await_room();
  if (tls_ && tls_->broken()) return unsent() ? void() : linger();
  if (session_->finished() && replies.empty() && !unsent()) return linger();
  if (session_->wants_input()) await_input();
}

// Writes what the socket takes. False: the connection is broken.
bool Connection::send() {
  if (tls_) return send_encrypted();
  resp::OutputBuffer& ready = session_->replies().ready();
  while (!ready.empty() && !awaits_room_) {
    std::array<std::string_view, kMostPieces> pieces;
    std::array<asio::const_buffer, kMostPieces> buffers;
    const std::size_t count = ready.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) buffers[i] = asio::buffer(pieces[i]);
    error_code error;
    const std::size_t size = socket_.write_some(std::span{buffers}.first(count), error);
    worker_->context().counters.writes.add();
    if (error == asio::error::would_block) return true;
    if (error) return false;
    worker_->context().counters.bytes_sent.add(size);
    ready.consume(size);
  }
  return true;
}

// The same. Encrypts a piece when the last one is written, so that what the socket
// does not take stays in the reply queue, where it is counted.
bool Connection::send_encrypted() {
  resp::OutputBuffer& ready = session_->replies().ready();
  while (!awaits_room_) {
    if (tls_->broken()) session_->replies().drop();
    if (tls_->output().empty()) {
      if (ready.empty()) return true;
      std::array<std::string_view, 1> piece;
      if (ready.gather(piece) == 0) return true;
      piece[0] = piece[0].substr(0, kEncryptedAtOnce);
      tls_->write(piece[0]);
      ready.consume(piece[0].size());
      continue;
    }
    error_code error;
    const std::string_view output = tls_->output();
    const std::size_t size = socket_.write_some(asio::buffer(output), error);
    worker_->context().counters.writes.add();
    if (error == asio::error::would_block) return true;
    if (error) return false;
    worker_->context().counters.bytes_sent.add(size);
    tls_->sent(size);
  }
  return true;
}

// Whether something waits for the socket.
bool Connection::unsent() {
  return !session_->replies().ready().empty() || (tls_ && !tls_->output().empty());
}

void Connection::finish() {
  if (worker_ == nullptr || lingering()) return;
  // What has arrived by now was asked in time. Bounded, for a client that never stops.
  for (int reads = 0; reads < kLastReads && session_->wants_input(); ++reads) {
    if (read_once() != Read::kSome) break;
  }
  session_->end_input();
  turn();
}

// All is said: tells the client so, and waits a little for it to close first.
void Connection::linger() {
  if (lingering()) return;
  if (tls_) {
    tls_->close();
    if (!send()) return close();
  }
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) return close();
  lingers_until_ = Clock::now() + kLinger;
  worker_->watch_lingering();
  await_input();
}

void Connection::close() {
  Worker* const worker = std::exchange(worker_, nullptr);
  if (worker == nullptr) return;
  session_->replies().drop();
  error_code ignored;
  socket_.close(ignored);
  worker->forget(*this);
}

}  // namespace larder
