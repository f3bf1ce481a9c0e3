#include "server/worker.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "server/server_state.hpp"

namespace larder {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kSweep{100};  // while a connection lingers

}  // namespace

Worker::Worker(asio::io_context& io, std::shared_ptr<ServerState> state, std::size_t thread,
               std::shared_ptr<TlsCertificates> certificates)
    : io_{io},
      state_{std::move(state)},
      certificates_{std::move(certificates)},
      context_{.server = *state_,
               .limits = state_->limits(),
               .counters = state_->counters(thread),
               .keys = KeyspaceView{state_->keyspace()},
               .thread = thread},
      sweep_timer_{io} {}

void Worker::adopt(TcpSocket socket, std::uint64_t id) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  const auto client = socket.remote_endpoint(ignored).address();
  asio::post(io_, [self = shared_from_this(), socket = std::move(socket), id, client]() mutable {
    self->take(std::move(socket), id, client);
  });
}

void Worker::take(Connection::Socket socket, std::uint64_t id, asio::ip::address client) {
  context_.counters.connections_taken.add();
  if (finishing_) return;  // and the socket closes
  context_.counters.connections.add();
  const auto connection = std::make_shared<Connection>(
      *this, std::move(socket), id, std::move(client),
      certificates_ ? std::make_unique<TlsSession>(certificates_->current()) : nullptr);
  connections_.emplace(id, connection);
  connection->start();
}

void Worker::forget(Connection& connection) {
  // The caller is a member of the connection: it goes when the caller has returned.
  const auto found = connections_.find(connection.id());
  asio::post(io_, [last = std::move(found->second)] {});
  connections_.erase(found);
  context_.counters.connections.subtract();
  if (finishing_ && connections_.empty() && done_) std::exchange(done_, nullptr)();
}

void Worker::finish(std::function<void()> done) {
  asio::post(io_, [self = shared_from_this(), done = std::move(done)]() mutable {
    self->finishing_ = true;
    if (self->connections_.empty()) return done();
    self->done_ = std::move(done);
    std::vector<std::shared_ptr<Connection>> open;
    for (const auto& [id, connection] : self->connections_) open.push_back(connection);
    for (const auto& connection : open) connection->finish();
  });
}

void Worker::abort() {
  asio::post(io_, [self = shared_from_this()] {
    while (!self->connections_.empty()) self->connections_.begin()->second->close();
  });
}

void Worker::watch_lingering() {
  if (std::exchange(sweeping_, true)) return;
  sweep_timer_.expires_after(kSweep);
  sweep_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->sweep();
  });
}

// Closes connections whose clients had their time to close first.
void Worker::sweep() {
  sweeping_ = false;
  const auto now = std::chrono::steady_clock::now();
  bool some_linger = false;
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& [id, connection] : connections_) {
    if (connection->lingers_until() <= now) {
      late.push_back(connection);
    } else if (connection->lingers_until() != std::chrono::steady_clock::time_point::max()) {
      some_linger = true;
    }
  }
  for (const auto& connection : late) connection->close();
  if (some_linger) watch_lingering();
}

}  // namespace larder
