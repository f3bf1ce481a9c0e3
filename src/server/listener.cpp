#include "server/listener.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
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

}  // namespace

Listener::Listener(tcp::acceptor acceptor, std::shared_ptr<ServerState> state,
                   std::vector<std::shared_ptr<Worker>> workers,
                   std::shared_ptr<spdlog::logger> log)
    : acceptor_{std::move(acceptor)},
      retry_{acceptor_.get_executor()},
      state_{std::move(state)},
      workers_{std::move(workers)},
      log_{std::move(log)},
      given_(workers_.size()) {}

void Listener::start() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->accept(); });
}

void Listener::stop() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
    self->retry_.cancel();
  });
}

void Listener::accept() {
  const std::size_t worker = least_loaded();
  acceptor_.async_accept(
      workers_[worker]->io().get_executor(),
      [self = shared_from_this(), worker](error_code error, Worker::TcpSocket socket) {
        self->accepted(error, worker, std::move(socket));
      });
}

void Listener::accepted(error_code error, std::size_t worker, Worker::TcpSocket socket) {
  if (!acceptor_.is_open()) return;
  if (error) return retry_later(error);
  failing_ = false;

  std::size_t open = 0;
  for (std::size_t i = 0; i < workers_.size(); ++i) open += load_of(i);
  if (open >= state_->identity().max_clients) {
    turn_away(std::move(socket));
  } else {
    ++given_[worker];
    workers_[worker]->adopt(std::move(socket), state_->next_client_id());
  }
  accept();
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

void Listener::turn_away(Worker::TcpSocket socket) {
  state_->count_rejected();
  if (state_->identity().tls) return;  // it would understand nothing yet
  constexpr std::string_view kSorry = "-ERR max number of clients reached\r\n";
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kSorry), ignored);
}

void Listener::retry_later(error_code error) {
  if (!std::exchange(failing_, true)) {
    log_->warn("cannot accept connections: {}; trying again until it works", error.message());
  }
  retry_.expires_after(kRetry);
  retry_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && self->acceptor_.is_open()) self->accept();
  });
}

}  // namespace larder
