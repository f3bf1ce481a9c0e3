// How a Connection does it: for the one file of each protocol that makes it.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/connection.hpp"

namespace larder::pipeline {

// How often it looks for those whose time is up.
inline constexpr std::chrono::milliseconds kLook{10};
// Of one request, for which room is made at once.
inline constexpr std::size_t kFirstReplies = 64;

template <class Protocol>
Connection<Protocol>::Connection(const boost::asio::any_io_executor& executor, Protocol protocol,
                                 std::shared_ptr<const TlsContext> tls,
                                 std::atomic<std::size_t>& waiting, Refill refill, Push push)
    : protocol_{std::move(protocol)},
      stream_{executor, protocol_.place(), std::move(tls)},
      patience_{executor},
      waiting_{waiting},
      refill_{std::move(refill)},
      push_{std::move(push)} {}

// ---- Opening. ----

template <class Protocol>
boost::asio::awaitable<Result<typename Protocol::Session>> Connection<Protocol>::open(
    Duration patience, bool known) {
  const auto self = this->shared_from_this();
  patience_.expires_after(patience);
  patience_.async_wait([weak = this->weak_from_this(), known](boost::system::error_code stopped) {
    const auto late = weak.lock();
    if (stopped || !late) return;
    const Error why = late->stream_.trouble("does not answer in time");
    // A server that waits for TLS does not wait for long when it gets something else.
    late->stop(late->stream_.over_tls() && !known ? late->doubting_tls(why) : why);
  });
  Session session;
  Result<void> done = co_await stream_.open();
  if (done) done = co_await shake_hands(session);
  patience_.cancel();
  if (end_) co_return std::unexpected{*end_};
  if (!done) co_return std::unexpected{known ? done.error() : doubting_tls(done.error())};
  co_return session;
}

template <class Protocol>
Error Connection<Protocol>::doubting_tls(Error why) const {
  if constexpr (requires { protocol_.of_tls(); }) {
    if (stream_.says_nothing_that_fits()) why.message += protocol_.of_tls();
  }
  return why;
}

template <class Protocol>
boost::asio::awaitable<Result<void>> Connection<Protocol>::shake_hands(Session& session) {
  auto handshake = protocol_.handshake();
  resp::OutputBuffer bytes;
  for (Step step = Step::kSend;;) {
    if (step == Step::kSend) {
      handshake.write(bytes);
      if (auto done = co_await stream_.send(bytes); !done) co_return done;
    }
    const auto reply = co_await next_reply();
    if (!reply) co_return std::unexpected{reply.error()};
    step = handshake.take(*reply);
    if (step == Step::kFailed) co_return std::unexpected{handshake.error()};
    if (step == Step::kDone) break;
  }
  session = handshake.session();
  co_return Result<void>{};
}

template <class Protocol>
boost::asio::awaitable<Result<typename Protocol::Reply>> Connection<Protocol>::next_reply() {
  for (;;) {
    std::size_t used = 0;
    const Outcome outcome = protocol_.decode(stream_.received(), used);
    stream_.received().erase(0, used);
    switch (outcome) {
      case Outcome::kReply: co_return protocol_.take();
      case Outcome::kPush: (void)protocol_.take(); continue;
      case Outcome::kError: co_return std::unexpected{gibberish()};
      case Outcome::kNeedMore: break;
    }
    if (auto done = co_await stream_.receive(); !done) {
      co_return std::unexpected{std::move(done.error())};
    }
  }
}

template <class Protocol>
Error Connection<Protocol>::gibberish() const {
  return stream_.trouble("does not speak " + std::string{Protocol::kName} +
                         "'s protocol: " + protocol_.error());
}

// ---- Serving. ----

template <class Protocol>
boost::asio::awaitable<Error> Connection<Protocol>::serve() {
  const auto self = this->shared_from_this();
  flush();
  while (!end_) {
    Result<void> done = co_await stream_.receive();
    if (done) done = decode_all();
    if (!done) stop(std::move(done.error()));
  }
  co_return *end_;
}

template <class Protocol>
void Connection<Protocol>::stop(Error why) {
  if (end_) return;
  end_ = std::move(why);
  patience_.cancel();
  stream_.close();
  fail_all();
}

template <class Protocol>
Result<void> Connection<Protocol>::decode_all() {
  std::string& received = stream_.received();
  std::size_t used = 0;
  for (;;) {
    const Outcome outcome = protocol_.decode(std::string_view{received}.substr(used), used);
    if (outcome == Outcome::kNeedMore) break;
    if (outcome == Outcome::kError) return std::unexpected{gibberish()};
    if (outcome == Outcome::kPush) {
      push_(protocol_.take());
      continue;
    }
    if (auto done = answered(protocol_.take()); !done) return done;
  }
  received.erase(0, used);
  return {};
}

template <class Protocol>
Result<void> Connection<Protocol>::answered(Reply&& reply) {
  if (in_flight_.empty()) return std::unexpected{stream_.trouble("answers what nobody asked")};
  Judgement judgement = protocol_.judge(reply);
  if (judgement.answers) deliver(std::move(reply));
  if (judgement.end.empty()) return {};
  return std::unexpected{stream_.trouble(std::move(judgement.end))};
}

template <class Protocol>
void Connection<Protocol>::deliver(Reply&& reply) {
  Request<Reply>& oldest = in_flight_.front();
  if (oldest.replies.empty()) oldest.replies.reserve(std::min(oldest.commands, kFirstReplies));
  oldest.replies.push_back(std::move(reply));
  if (oldest.replies.size() < oldest.commands) return;
  Request<Reply> whole = std::move(oldest);
  in_flight_.pop_front();
  waiting_.fetch_sub(whole.commands, std::memory_order_relaxed);
  if (whole.done) whole.done(std::move(whole.replies));
}

template <class Protocol>
void Connection<Protocol>::flush() {
  if (writing_ || end_) return;
  while (sending_->empty()) {
    if (!refill_(sending_, in_flight_)) return;
  }
  watch();
  write_some();
}

template <class Protocol>
void Connection<Protocol>::write_some() {
  writing_ = true;
  stream_.write_some(*sending_, [self = this->shared_from_this()](Result<void> done) {
    self->writing_ = false;
    if (!done) return self->stop(std::move(done.error()));
    if (!self->sending_->empty() && !self->end_) return self->write_some();
    self->flush();
  });
}

// ---- Time. ----

template <class Protocol>
void Connection<Protocol>::watch() {
  if (std::exchange(watching_, true)) return;
  patience_.expires_after(kLook);
  patience_.async_wait([weak = this->weak_from_this()](boost::system::error_code stopped) {
    const auto self = weak.lock();
    if (!self || stopped) return;
    self->watching_ = false;
    self->look();
  });
}

// Tells those whose time is up. One that waited so long without the server having said
// anything at all means that it hangs, or that the way to it is cut.
template <class Protocol>
void Connection<Protocol>::look() {
  const TimePoint now = std::chrono::steady_clock::now();
  bool silent = false;
  std::vector<Done<Reply>> late;
  for (Request<Reply>& request : in_flight_) {
    if (request.deadline > now || !request.done) continue;
    silent = silent || stream_.last_received() < request.sent;
    late.push_back(std::exchange(request.done, nullptr));
  }
  for (Done<Reply>& done : late) {
    done(fail(Errc::kTimeout, stream_.name() + " does not answer in time"));
  }
  if (silent) return stop(stream_.trouble("says nothing any more"));
  if (!in_flight_.empty()) watch();
}

template <class Protocol>
void Connection<Protocol>::fail_all() {
  Requests lost = std::move(in_flight_);
  in_flight_.clear();
  for (Request<Reply>& request : lost) {
    waiting_.fetch_sub(request.commands, std::memory_order_relaxed);
    if (!request.done) continue;
    try {
      request.done(std::unexpected{*end_});
    } catch (...) {  // its own affair; the others are to hear of it, too
      continue;
    }
  }
}

}  // namespace larder::pipeline
