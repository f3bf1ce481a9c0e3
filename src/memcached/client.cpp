#include "memcached/client.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <random>
#include <utility>

namespace larder::memcached {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// A connection that lasted shorter is a failed attempt.
constexpr std::chrono::seconds kLasting{1};

Error closed_error() { return {Errc::kCancelled, "the client of Memcached was closed"}; }

}  // namespace

std::shared_ptr<Client> Client::start(Runtime& runtime, ClientOptions options,
                                      std::weak_ptr<ClientEvents> events) {
  std::shared_ptr<Client> client{new Client{runtime, std::move(options), std::move(events)}};
  runtime.close_at_stop(client);
  asio::co_spawn(client->executor_, run(client), asio::detached);
  return client;
}

Client::Client(Runtime& runtime, ClientOptions options, std::weak_ptr<ClientEvents> events)
    : options_{std::move(options)},
      executor_{runtime.executor()},
      events_{std::move(events)},
      backoff_{options_.backoff},
      unsent_{std::make_unique<resp::OutputBuffer>()} {}

void Client::close() {
  const MutexLock lock{mutex_};
  if (std::exchange(closed_, true)) return;
  session_.reset();
  asio::post(executor_, [self = shared_from_this()] {
    if (self->connection_) self->connection_->stop(closed_error());
    if (self->pause_ != nullptr) self->pause_->cancel();
    self->shut(closed_error());
  });
}

bool Client::closed() const {
  const MutexLock lock{mutex_};
  return closed_;
}

ClientHealth Client::health() const {
  const MutexLock lock{mutex_};
  return {.connected = session_.has_value(),
          .session = session_.value_or(Session{}),
          .last_error = last_error_,
          .connections = connections_,
          .commands = commands_,
          .waiting = waiting_.load(std::memory_order_relaxed)};
}

// ---- What callers do. ----

std::optional<Error> Client::refuse(const Submission& submission) const {
  if (closed_) return closed_error();
  const std::string place = to_string(options_.place);
  if (!session_) {
    return Error{Errc::kSourceFailed,
                 last_error_.empty() ? place + " is not connected yet" : last_error_};
  }
  if (submission.connection && *submission.connection != session_->number) {
    return Error{Errc::kSourceFailed, place + " has been lost since"};
  }
  if (waiting_.load(std::memory_order_relaxed) + submission.commands > options_.most_commands ||
      unsent_->size() > options_.most_unsent.bytes) {
    return Error{Errc::kOverloaded,
                 "too much is on its way to " + place + ": it is too slow for this"};
  }
  return std::nullopt;
}

void Client::remember(const Submission& submission, Done done) {
  const TimePoint now = std::chrono::steady_clock::now();
  waiting_.fetch_add(submission.commands, std::memory_order_relaxed);
  commands_ += submission.commands;
  unsent_requests_.push_back({.commands = submission.commands,
                              .sent = now,
                              .deadline = now + submission.timeout.value_or(options_.timeout),
                              .done = std::move(done)});
  if (std::exchange(flush_posted_, true)) return;
  asio::post(executor_, [self = shared_from_this()] {
    {
      const MutexLock lock{self->mutex_};
      self->flush_posted_ = false;
    }
    if (self->connection_) self->connection_->flush();
  });
}

// ---- The connection, on the I/O thread. ----

awaitable<void> Client::run(std::shared_ptr<Client> self) {
  std::minstd_rand random{std::random_device{}()};
  asio::steady_timer pause{self->executor_};
  self->pause_ = &pause;
  while (!self->closed()) {
    const TimePoint begun = std::chrono::steady_clock::now();
    const Error why = co_await self->connect_and_serve();
    if (self->closed()) break;
    self->shut(why);
    if (std::chrono::steady_clock::now() - begun > kLasting) self->backoff_.succeeded();
    const double uniform = static_cast<double>(random()) / static_cast<double>(random.max());
    pause.expires_after(self->backoff_.failed(uniform));
    (void)co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  self->pause_ = nullptr;
}

awaitable<Error> Client::connect_and_serve() {
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
  connection_ = std::make_shared<Connection>(
      executor_, options_.place, waiting_,
      [this](auto& bytes, auto& in_flight) { return refill(bytes, in_flight); });
  auto session = co_await connection_->open(options_.connect_timeout);
  std::optional<Error> why;
  if (session) {
    open_up(std::move(*session));
    why = co_await connection_->serve();
  } else {
    why = session.error();
  }
  co_return *why;
}

// Gives the connection what was submitted since the last time.
bool Client::refill(std::unique_ptr<resp::OutputBuffer>& bytes, std::deque<Request>& in_flight) {
  const MutexLock lock{mutex_};
  if (unsent_->empty()) return false;
  std::swap(bytes, unsent_);
  std::ranges::move(unsent_requests_, std::back_inserter(in_flight));
  unsent_requests_.clear();
  return true;
}

void Client::open_up(Session session) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    session.number = ++connections_;
    session_ = session;
  }
  if (const auto events = events_.lock()) events->connected(session);
}

// The connection, or the attempt, has ended: so has all that was never sent.
void Client::shut(const Error& why) {
  std::deque<Request> unsent;
  {
    const MutexLock lock{mutex_};
    session_.reset();
    last_error_ = why.message;
    unsent.swap(unsent_requests_);
    unsent_ = std::make_unique<resp::OutputBuffer>();
  }
  for (Request& request : unsent) {
    waiting_.fetch_sub(request.commands, std::memory_order_relaxed);
    request.done(std::unexpected{why});
  }
  if (const auto events = events_.lock()) events->disconnected(why);
}

}  // namespace larder::memcached
