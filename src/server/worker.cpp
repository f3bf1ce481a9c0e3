#include "server/worker.hpp"

#include <chrono>
#include <utility>

#include "server/server_state.hpp"

namespace larder {

namespace {

constexpr std::chrono::milliseconds kSweep{100};  // while a connection lingers

}  // namespace

Worker::Worker(std::shared_ptr<ServerState> state, std::size_t thread,
               std::shared_ptr<TlsCertificates> certificates)
    : state_{std::move(state)},
      certificates_{std::move(certificates)},
      context_{.server = *state_,
               .limits = state_->limits(),
               .counters = state_->counters(thread),
               .keys = KeyspaceView{state_->keyspace()},
               .thread = thread},
      work_{std::make_shared<WorkQueue>()},
      sweep_alarm_{poller_, [this] { sweep(); }} {
  work_->start(poller_);
}

void Worker::start() {
  thread_ = std::thread{[this] { run(); }};
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  work_->post([this] {
    close_all();
    stopping_ = true;
  });
  thread_.join();
}

// Hot, once a round: guarded by bench/server.
void Worker::run() {
  while (!stopping_) {
    poller_.wait(again_.empty() ? Poller::Wait::kYes : Poller::Wait::kNo);
    std::swap(again_, turn_);
    for (const auto& connection : turn_) connection->go_on();
    turn_.clear();
    gone_.clear();
  }
}

void Worker::adopt(Descriptor socket, std::uint64_t id, boost::asio::ip::address client,
                   Admission::Seat seat) {
  work_->post([this, socket = std::move(socket), id, client = std::move(client),
               seat = std::move(seat)]() mutable {
    take(std::move(socket), id, std::move(client), std::move(seat));
  });
}

void Worker::take(Descriptor socket, std::uint64_t id, boost::asio::ip::address client,
                  Admission::Seat seat) {
  context_.counters.connections_taken.add();
  if (finishing_) return;  // and the socket closes
  context_.counters.connections.add();
  const auto connection = std::make_shared<Connection>(
      *this, std::move(socket), id, std::move(client), std::move(seat),
      certificates_ ? std::make_unique<TlsSession>(certificates_->current()) : nullptr);
  connections_.emplace(id, connection);
  connection->start();
}

void Worker::forget(Connection& connection) {
  // The caller is a member of the connection, and the poller may yet tell it of
  // something: it goes at the end of the round.
  const auto found = connections_.find(connection.id());
  gone_.push_back(std::move(found->second));
  connections_.erase(found);
  context_.counters.connections.subtract();
  if (finishing_ && connections_.empty() && done_) std::exchange(done_, nullptr)();
}

void Worker::finish(std::function<void()> done) {
  work_->post([this, done = std::move(done)]() mutable {
    finishing_ = true;
    if (connections_.empty()) return done();
    done_ = std::move(done);
    std::vector<std::shared_ptr<Connection>> open;
    for (const auto& [id, connection] : connections_) open.push_back(connection);
    for (const auto& connection : open) connection->finish();
  });
}

void Worker::abort() {
  work_->post([this] { close_all(); });
}

void Worker::close_all() {
  while (!connections_.empty()) connections_.begin()->second->close();
}

void Worker::watch_lingering() {
  if (std::exchange(sweeping_, true)) return;
  sweep_alarm_.set(kSweep);
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
