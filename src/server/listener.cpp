#include "server/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

namespace larder {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Too many open files does not pass at once; trying again at once would burn a core.
constexpr std::chrono::milliseconds kRetry{100};

constexpr int kAtOnce = 64;  // connections, before others have their turn on the thread

constexpr std::string_view apology(ServerState::Rejection why) {
  switch (why) {
    case ServerState::Rejection::kClients: return "-ERR max number of clients reached\r\n";
    case ServerState::Rejection::kAddress:
      return "-ERR max number of clients of your address reached; close some, or raise "
             "server.max_clients_per_address\r\n";
    case ServerState::Rejection::kRate:
      return "-ERR your address opens connections faster than server.connection_rate; keep them "
             "open, or try again in a second\r\n";
  }
  std::unreachable();
}

}  // namespace

Listener::Listener(tcp::acceptor acceptor, std::shared_ptr<ServerState> state,
                   std::vector<std::shared_ptr<Worker>> workers,
                   std::shared_ptr<Admission> admission, std::shared_ptr<spdlog::logger> log)
    : acceptor_{std::move(acceptor)},
      retry_{acceptor_.get_executor()},
      state_{std::move(state)},
      workers_{std::move(workers)},
      admission_{std::move(admission)},
      log_{std::move(log)},
      given_(workers_.size()) {
  acceptor_.native_non_blocking(true);
}

void Listener::start() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->wait(); });
}

void Listener::stop() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
    self->retry_.cancel();
  });
}

void Listener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](error_code error) {
    if (!error && self->acceptor_.is_open()) self->accept_some();
  });
}

// Accepts what waits, as far as its turn goes.
void Listener::accept_some() {
  for (int i = 0; i < kAtOnce; ++i) {
    tcp::endpoint client;
    auto size = static_cast<socklen_t>(client.capacity());
    Descriptor socket{
        ::accept4(acceptor_.native_handle(), client.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      failing_ = false;
      client.resize(size);
      accepted(std::move(socket), client.address());
      continue;
    }
    if (errno == EAGAIN) break;
    if (errno == ECONNABORTED || errno == EINTR) continue;  // the client gave up
    return retry_later({errno, boost::system::system_category()});
  }
  wait();
}

void Listener::accepted(Descriptor socket, asio::ip::address client) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < workers_.size(); ++i) open += load_of(i);
  using Rejection = ServerState::Rejection;
  using Verdict = Admission::Verdict;
  if (open >= state_->limits().max_clients) return turn_away(socket, Rejection::kClients);
  auto answer = admission_->ask(client, state_->keyspace().clock().now());
  if (answer.verdict == Verdict::kTooMany) return turn_away(socket, Rejection::kAddress);
  if (answer.verdict == Verdict::kTooFast) return turn_away(socket, Rejection::kRate);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::size_t worker = least_loaded();
  ++given_[worker];
  workers_[worker]->adopt(std::move(socket), state_->next_client_id(), std::move(client),
                          std::move(answer.seat));
}

std::size_t Listener::least_loaded() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    if (load_of(i) < load_of(best)) best = i;
  }
  return best;
}

// Open connections of a worker, with those that are still on their way to it.
std::size_t Listener::load_of(std::size_t worker) const {
  const Counters& counters = workers_[worker]->counters();
  return given_[worker] - (counters.connections_taken.value() - counters.connections.value());
}

void Listener::turn_away(const Descriptor& socket, ServerState::Rejection why) {
  state_->count_rejected(why);
  if (state_->identity().tls) return;  // it would understand nothing yet
  const std::string_view sorry = apology(why);
  ::send(socket.get(), sorry.data(), sorry.size(), MSG_NOSIGNAL);
}

void Listener::retry_later(error_code error) {
  if (!std::exchange(failing_, true)) {
    log_->warn("cannot accept connections: {}; trying again until it works", error.message());
  }
  retry_.expires_after(kRetry);
  retry_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && self->acceptor_.is_open()) self->wait();
  });
}

}  // namespace larder
