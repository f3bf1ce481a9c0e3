#include "server/connection.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/quantity.hpp"
#include "server/socket_name.hpp"
#include "server/worker.hpp"

namespace larder {

namespace {

// How long a client has to close after it was told everything. Closing before
// it does would reset the connection and take the last replies with it.
constexpr std::chrono::milliseconds kLinger{500};

constexpr std::size_t kMostPieces = 16;                          // of one gathering write
constexpr std::size_t kEncryptedAtOnce = std::size_t{64} << 10;  // bytes
constexpr int kLastReads = 16;                                   // before a connection is finished

// As ::send, of several pieces.
std::ptrdiff_t write(int socket, std::span<const std::string_view> pieces) {
  if (pieces.size() == 1) {
    return ::send(socket, pieces[0].data(), pieces[0].size(), MSG_NOSIGNAL);
  }
  std::array<iovec, kMostPieces> vectors;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    vectors[i] = {.iov_base = const_cast<char*>(pieces[i].data()), .iov_len = pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

Connection::Connection(Worker& worker, Descriptor socket, std::uint64_t id,
                       boost::asio::ip::address client, Admission::Seat seat,
                       std::unique_ptr<TlsSession> tls)
    : worker_{&worker},
      id_{id},
      client_{std::move(client)},
      seat_{std::move(seat)},
      socket_{std::move(socket)},
      tls_{std::move(tls)},
      opened_at_{worker.now()} {}

void Connection::start() {
  // Answers may come after the connection is gone, and after its worker.
  session_.emplace(
      worker_->context(), id_,
      [weak = weak_from_this(), work = worker_->work()] {
        work->post([weak] {
          if (const auto self = weak.lock()) self->wake();
        });
      },
      client_, origin_of(socket_.get()));
  if (!worker_->poller().watch(socket_.get(), *this)) close();
}

// Hot, with all down to send(): guarded by bench/server.
void Connection::ready(Poller::Readiness readiness) {
  if (worker_ == nullptr) return;
  if (readiness.input) readable_ = true;
  if (readiness.ended) end_came_ = true;
  if (readiness.room) awaits_room_ = false;
  go_on();
}

void Connection::go_on() {
  in_line_ = false;
  if (worker_ == nullptr) return;
  if (lingering()) return discard_input();
  if (readable_ && session_->wants_input()) read_once();
  turn();
}

// What has arrived, as much as fits into the thread's buffer.
Connection::Received Connection::receive() {
  const auto room = worker_->read_buffer();
  const auto size = ::recv(socket_.get(), room.data(), room.size(), 0);
  worker_->context().counters.reads.add();
  if (size > 0) {
    // Less than fits was all. The end, if it has come already, is read after it.
    readable_ = end_came_ || static_cast<std::size_t>(size) == room.size();
    return {Read::kSome, {room.data(), static_cast<std::size_t>(size)}};
  }
  readable_ = false;
  if (size < 0 && errno == EAGAIN) return {Read::kNothing, {}};
  end_read_ = true;  // or a connection that broke: writing will tell
  return {Read::kEnd, {}};
}

// Reads once what has arrived.
Connection::Read Connection::read_once() {
  const Received received = receive();
  switch (received.outcome) {
    case Read::kNothing: break;
    case Read::kEnd: session_->end_input(); break;
    case Read::kSome:
      if (tls_) {
        tls_->take(received.bytes);
        decrypt();
      } else {
        session_->receive(received.bytes);
      }
  }
  return received.outcome;
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
  if (readable_) receive();
  if (end_read_) return close();
  if (readable_ && !std::exchange(in_line_, true)) worker_->again(*this);
}

void Connection::await_room() {
  awaits_room_ = true;
  stalled_at_ = worker_->now();
  if (!std::exchange(watches_room_, true)) worker_->poller().watch_room(socket_.get(), *this);
}

// Answers lie in the session's inbox.
void Connection::wake() {
  if (worker_ == nullptr) return;
  session_->collect();
  turn();
}

// After anything happened.
void Connection::turn() {
  advance();
  if (worker_ == nullptr) return;
  const std::size_t kept = session_->kept_bytes() + (tls_ ? tls_->output().size() : 0);
  if (kept != kept_) worker_->count_kept(std::exchange(kept_, kept), kept);
}

// Sends what there is, goes on with what that lets go on, and waits for what comes
// next.
void Connection::advance() {
  if (session_->killed()) return close();
  ReplyQueue& replies = session_->replies();
  for (;;) {
    const bool had_some = !replies.ready().empty();
    if (!send()) return close();
    if (session_->blocked() && had_some && replies.ready().empty()) {
      session_->resume();
    } else if (session_->has_news() && replies.ready().empty()) {
      session_->collect();
    } else if (tls_ && tls_->pending() && session_->wants_input()) {
      decrypt();
    } else {
      break;
    }
  }
  replies.keep();
  if (tls_ && tls_->broken()) return unsent() ? void() : linger();
  if (session_->finished() && replies.empty() && !unsent()) return linger();
  if (readable_ && session_->wants_input() && !std::exchange(in_line_, true)) {
    worker_->again(*this);
  }
}

// Writes what the socket takes. False: the connection is broken.
bool Connection::send() { return tls_ ? send_encrypted() : send_plain(); }

bool Connection::send_plain() {
  resp::OutputBuffer& ready = session_->replies().ready();
  while (!ready.empty() && !awaits_room_) {
    std::array<std::string_view, kMostPieces> pieces;
    const std::size_t count = ready.gather(pieces);
    const auto size = write(socket_.get(), std::span{pieces}.first(count));
    const Sent outcome = sent(size);
    if (outcome == Sent::kBroken) return false;
    if (outcome == Sent::kSome) ready.consume(static_cast<std::size_t>(size));
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
    const std::array output{tls_->output()};
    const auto size = write(socket_.get(), output);
    const Sent outcome = sent(size);
    if (outcome == Sent::kBroken) return false;
    if (outcome == Sent::kSome) tls_->sent(static_cast<std::size_t>(size));
  }
  return true;
}

// What a write came to that returned `size`.
Connection::Sent Connection::sent(std::ptrdiff_t size) {
  Counters& counters = worker_->context().counters;
  counters.writes.add();
  if (size >= 0) {
    counters.bytes_sent.add(static_cast<std::size_t>(size));
    return Sent::kSome;
  }
  if (errno != EAGAIN) return Sent::kBroken;
  await_room();
  return Sent::kNoRoom;
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

void Connection::notice_change() {
  if (worker_ == nullptr || lingering()) return;
  session_->notice_change();
  turn();
}

// All is said: tells the client so, and waits a little for it to close first.
void Connection::linger() {
  if (lingering()) return;
  if (tls_) {
    tls_->close();
    if (!send()) return close();
  }
  if (::shutdown(socket_.get(), SHUT_WR) != 0) return close();
  lingers_until_ = Clock::now() + kLinger;
  worker_->watch_lingering();
  discard_input();
}

void Connection::close_if_late(TimePoint now) {
  Counters& counters = worker_->context().counters;
  if (lingering()) {
    if (lingers_until_ <= Clock::now()) close();
  } else if (nobody_too_long(now)) {
    counters.closed_nobody.add();
    send_away("ERR no login within server.login_timeout, " +
              format_duration(worker_->context().limits.login_timeout));
  } else if (idle(now)) {
    counters.closed_idle.add();
    close();
  }
}

bool Connection::idle(TimePoint now) const {
  const Duration most = worker_->context().limits.idle_timeout;
  if (most == Duration{} || session_->awaits_answer()) return false;
  return std::max({opened_at_, session_->now(), stalled_at_}) + most <= now;
}

bool Connection::nobody_too_long(TimePoint now) const {
  const Duration most = worker_->context().limits.login_timeout;
  if (most == Duration{} || opened_at_ + most > now) return false;
  if (tls_ && !tls_->open()) return true;
  return !session_->introduced() && !session_->awaits_answer();
}

void Connection::send_away(const std::string& why) {
  const bool hears = !tls_ || tls_->open();
  if (!hears || lingering() || session_->blocked() || unsent()) return close();
  session_->dismiss(why);
  turn();
  if (worker_ != nullptr && !lingering()) close();
}

void Connection::close() {
  Worker* const worker = std::exchange(worker_, nullptr);
  if (worker == nullptr) return;
  session_->replies().drop();
  if (kept_ > 0) worker->count_kept(std::exchange(kept_, 0), 0);
  socket_.close();
  worker->forget(*this);
}

}  // namespace larder
