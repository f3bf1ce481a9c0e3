// How a Client does it: for the one file of each protocol that makes it.
#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <iterator>
#include <random>
#include <utility>

#include "pipeline/client.hpp"
#include "pipeline/connection_body.hpp"

namespace larder::pipeline {

// A connection that lasted shorter is a failed attempt.
inline constexpr std::chrono::seconds kLasting{1};

template <class Protocol>
Error thrown_by_user(std::string_view what) {
  return {Errc::kSourceFailed, "the connection to " + std::string{Protocol::kName} +
                                   " was left, since who was answered threw: " + std::string{what}};
}

template <class Protocol>
Error closed_error() {
  return {Errc::kCancelled, "the client of " + std::string{Protocol::kName} + " was closed"};
}

template <class Protocol>
Client<Protocol>::Client(Runtime& runtime, Options options, std::shared_ptr<const TlsContext> tls,
                         std::weak_ptr<Events> events)
    : options_{std::move(options)},
      name_{Protocol{options_}.place().name},
      executor_{runtime.executor()},
      tls_{std::move(tls)},
      events_{std::move(events)},
      backoff_{options_.backoff},
      unsent_{std::make_unique<resp::OutputBuffer>()} {}

template <class Protocol>
void Client<Protocol>::begin(Runtime& runtime) {
  const auto self = this->shared_from_this();
  runtime.close_at_stop(self);
  boost::asio::co_spawn(executor_, run(self), boost::asio::detached);
}

template <class Protocol>
void Client<Protocol>::close() {
  const MutexLock lock{mutex_};
  if (std::exchange(closed_, true)) return;
  session_.reset();
  boost::asio::post(executor_, [self = this->shared_from_this()] {
    if (self->connection_) self->connection_->stop(closed_error<Protocol>());
    if (self->pause_ != nullptr) self->pause_->cancel();
    self->shut(closed_error<Protocol>());
  });
}

template <class Protocol>
bool Client<Protocol>::was_connected() const {
  const MutexLock lock{mutex_};
  return connections_ > 0;
}

template <class Protocol>
bool Client<Protocol>::closed() const {
  const MutexLock lock{mutex_};
  return closed_;
}

template <class Protocol>
ClientHealth<typename Protocol::Session> Client<Protocol>::health() const {
  const MutexLock lock{mutex_};
  return {.connected = session_.has_value(),
          .session = session_.value_or(Session{}),
          .last_error = last_error_,
          .connections = connections_,
          .commands = commands_,
          .waiting = waiting_.load(std::memory_order_relaxed)};
}

// ---- What callers do. ----

template <class Protocol>
std::optional<Error> Client<Protocol>::refuse(const Submission& submission) const {
  if (closed_) return closed_error<Protocol>();
  if (!session_) {
    return Error{Errc::kSourceFailed,
                 last_error_.empty() ? name_ + " is not connected yet" : last_error_};
  }
  if (submission.session && *submission.session != Protocol::id(*session_)) {
    return Error{Errc::kSourceFailed, name_ + " " + std::string{Protocol::kAnother}};
  }
  if (waiting_.load(std::memory_order_relaxed) + submission.commands > options_.most_commands ||
      unsent_->size() > options_.most_unsent.bytes) {
    return Error{Errc::kOverloaded,
                 "too much is on its way to " + name_ + ": it is too slow for this"};
  }
  return std::nullopt;
}

template <class Protocol>
void Client<Protocol>::remember(const Submission& submission, Done<Reply> done) {
  const TimePoint now = std::chrono::steady_clock::now();
  const std::size_t waiting =
      waiting_.fetch_add(submission.commands, std::memory_order_relaxed) + submission.commands;
  const Duration timeout = submission.timeout.value_or(options_.timeout);
  commands_ += submission.commands;
  unsent_requests_.push_back({.commands = submission.commands,
                              .sent = now,
                              .deadline = now + patience(timeout, waiting),
                              .done = std::move(done)});
  if (std::exchange(flush_posted_, true)) return;
  boost::asio::post(executor_, [self = this->shared_from_this()] {
    {
      const MutexLock lock{self->mutex_};
      self->flush_posted_ = false;
    }
    if (self->connection_) self->connection_->flush();
  });
}

// ---- The connection, on the I/O thread. ----

template <class Protocol>
boost::asio::awaitable<void> Client<Protocol>::run(std::shared_ptr<Client> self) {
  std::minstd_rand random{std::random_device{}()};
  boost::asio::steady_timer pause{self->executor_};
  self->pause_ = &pause;
  while (!self->closed()) {
    const TimePoint begun = std::chrono::steady_clock::now();
    const Error why = co_await self->connect_and_serve();
    if (self->closed()) break;
    self->shut(why);
    if (std::chrono::steady_clock::now() - begun > kLasting) self->backoff_.succeeded();
    const double uniform = static_cast<double>(random()) / static_cast<double>(random.max());
    pause.expires_after(self->backoff_.failed(uniform));
    (void)co_await pause.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  self->pause_ = nullptr;
}

template <class Protocol>
boost::asio::awaitable<Error> Client<Protocol>::connect_and_serve() {
  // Also when the runtime ends meanwhile, which destroys this coroutine: what a connection
  // waits with does not outlive the runtime's context.
  struct Leaving {
    explicit Leaving(Client& leaving) : client{leaving} {}
    ~Leaving() { client.connection_.reset(); }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    Client& client;
  };
  const Leaving leaving{*this};
  connection_ = std::make_shared<Connection<Protocol>>(
      executor_, Protocol{options_}, tls_, waiting_,
      [this](auto& bytes, auto& in_flight) { return refill(bytes, in_flight); },
      [this](const Reply& message) { pushed(message); });
  auto session = co_await connection_->open(options_.connect_timeout, was_connected());
  std::optional<Error> why;
  if (session) {
    try {
      open_up(std::move(*session));
      why = co_await connection_->serve();
    } catch (const std::exception& thrown) {  // by who was handed a reply or a message
      why = thrown_by_user<Protocol>(thrown.what());
    } catch (...) {
      why = thrown_by_user<Protocol>("what is no std::exception");
    }
    connection_->stop(*why);  // unless it has ended: the others are not left without an answer
  } else {
    why = session.error();
  }
  co_return *why;
}

// Gives the connection what was submitted since the last time.
template <class Protocol>
bool Client<Protocol>::refill(std::unique_ptr<resp::OutputBuffer>& bytes,
                              std::deque<Request<Reply>>& in_flight) {
  const MutexLock lock{mutex_};
  if (unsent_->empty()) return false;
  std::swap(bytes, unsent_);
  std::ranges::move(unsent_requests_, std::back_inserter(in_flight));
  unsent_requests_.clear();
  return true;
}

template <class Protocol>
void Client<Protocol>::open_up(Session session) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    ++connections_;
    if constexpr (requires { session.number; }) session.number = connections_;
    session_ = session;
  }
  if (const auto events = events_.lock()) events->connected(session);
}

// The connection, or the attempt, has ended: so has all that was never sent.
template <class Protocol>
void Client<Protocol>::shut(const Error& why) {
  std::deque<Request<Reply>> unsent;
  {
    const MutexLock lock{mutex_};
    session_.reset();
    last_error_ = why.message;
    unsent.swap(unsent_requests_);
    unsent_ = std::make_unique<resp::OutputBuffer>();
  }
  for (Request<Reply>& request : unsent) {
    waiting_.fetch_sub(request.commands, std::memory_order_relaxed);
    request.done(std::unexpected{why});
  }
  if (const auto events = events_.lock()) events->disconnected(why);
}

template <class Protocol>
void Client<Protocol>::pushed(const Reply& message) {
  if (const auto events = events_.lock()) Protocol::pushed(*events, message);
}

}  // namespace larder::pipeline
