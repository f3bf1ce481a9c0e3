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

constexpr std::size_t kMostPieces = 16;  // of one gathering write
constexpr int kLastReads = 16;           // before a connection is finished

}  // namespace

Connection::Connection(Worker& worker, Socket socket, std::uint64_t id)
    : worker_{&worker}, id_{id}, socket_{std::move(socket)} {}

void Connection::start() {
  // Answers may come after the connection is gone.
  session_.emplace(worker_->context(), id_,
                   [weak = weak_from_this(), executor = socket_.get_executor()] {
                     asio::post(executor, [weak] {
                       if (const auto self = weak.lock()) self->wake();
                     });
                   });
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
  session_->receive({room.data(), size});
  return Read::kSome;
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
    if (!session_->blocked() || !had_some || !replies.ready().empty()) break;
    session_->resume();
  }
  replies.keep();
  if (!replies.ready().empty()) await_room();
  if (session_->finished() && replies.empty()) return linger();
  if (session_->wants_input()) await_input();
}

// Writes what the socket takes. False: the connection is broken.
bool Connection::send() {
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
