#include "server/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "access/client_place.hpp"

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
    case ServerState::Rejection::kTotalRate:
      return "-ERR clients open connections faster than server.total_connection_rate; try again "
             "in a second\r\n";
  }
  std::unreachable();
}

// Of a client of a Unix socket, none.
asio::ip::address client_address(const sockaddr_storage& address, socklen_t size) {
  tcp::endpoint endpoint;
  if (address.ss_family == AF_UNIX || size > endpoint.capacity()) return {};
  std::memcpy(endpoint.data(), &address, size);
  return endpoint.address();
}

}  // namespace

Listener::Listener(asio::io_context& io, std::shared_ptr<ServerState> state,
                   std::vector<std::shared_ptr<Worker>> workers,
                   std::shared_ptr<Admission> admission, std::shared_ptr<spdlog::logger> log)
    : io_{io},
      state_{std::move(state)},
      workers_{std::move(workers)},
      admission_{std::move(admission)},
      log_{std::move(log)},
      given_(workers_.size()) {}

void Listener::add(Descriptor socket) {
  doors_.push_back(
      {asio::posix::stream_descriptor{io_, socket.release()}, asio::steady_timer{io_}});
}

void Listener::start() {
  asio::post(io_, [self = shared_from_this()] {
    for (Door& door : self->doors_) self->wait(door);
  });
}

void Listener::stop() {
  asio::post(io_, [self = shared_from_this()] {
    error_code ignored;
    for (Door& door : self->doors_) {
      door.socket.close(ignored);
      door.retry.cancel();
    }
  });
}

void Listener::wait(Door& door) {
  door.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this(), &door](error_code error) {
                           if (!error && door.socket.is_open()) self->accept_some(door);
                         });
}

// Accepts what waits, as far as its turn goes.
void Listener::accept_some(Door& door) {
  for (int i = 0; i < kAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor socket{::accept4(door.socket.native_handle(), reinterpret_cast<sockaddr*>(&address),
                                &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      door.failing = false;
      accepted(std::move(socket), client_address(address, size));
      continue;
    }
    if (errno == EAGAIN) break;
    if (errno == ECONNABORTED || errno == EINTR) continue;  // the client gave up
    return retry_later(door, {errno, boost::system::system_category()});
  }
  wait(door);
}

void Listener::accepted(Descriptor socket, asio::ip::address client) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < workers_.size(); ++i) open += load_of(i);
  using Rejection = ServerState::Rejection;
  using Verdict = Admission::Verdict;
  const bool speaks_tls = state_->identity().tls && !on_unix_socket(client);
  if (open >= state_->limits().max_clients) {
    return turn_away(socket, speaks_tls, Rejection::kClients);
  }
  auto answer = admission_->ask(client, state_->keyspace().clock().now());
  if (answer.verdict == Verdict::kTooMany) {
    return turn_away(socket, speaks_tls, Rejection::kAddress);
  }
  if (answer.verdict == Verdict::kTooFast) return turn_away(socket, speaks_tls, Rejection::kRate);
  if (answer.verdict == Verdict::kAllTooFast) {
    return turn_away(socket, speaks_tls, Rejection::kTotalRate);
  }
  if (!on_unix_socket(client)) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
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

void Listener::turn_away(const Descriptor& socket, bool speaks_tls, ServerState::Rejection why) {
  state_->count_rejected(why);
  if (speaks_tls) return;  // it would understand nothing yet
  const std::string_view sorry = apology(why);
  ::send(socket.get(), sorry.data(), sorry.size(), MSG_NOSIGNAL);
}

void Listener::retry_later(Door& door, error_code error) {
  if (!std::exchange(door.failing, true)) {
    log_->warn("cannot accept connections: {}; trying again until it works", error.message());
  }
  door.retry.expires_after(kRetry);
  door.retry.async_wait([self = shared_from_this(), &door](error_code cancelled) {
    if (!cancelled && door.socket.is_open()) self->wait(door);
  });
}

}  // namespace larder
