#include "server/worker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "access/client_place.hpp"
#include "base/quantity.hpp"
#include "server/server_state.hpp"

namespace larder {

namespace {

constexpr std::chrono::milliseconds kSweepLingering{100};  // while a connection lingers
constexpr std::chrono::milliseconds kSweepOn{10};          // to the next part of a sweep
constexpr std::size_t kBucketsAtOnce = 2048;               // looking at them takes below 1 ms

// How often to look for connections that had their time: soon enough after, and
// at most once a second.
Duration sweep_interval(const Limits& limits) {
  Duration least = Duration::max();
  for (const Duration each : {limits.idle_timeout, limits.login_timeout}) {
    if (each > Duration{}) least = std::min(least, each);
  }
  if (least == Duration::max()) return {};
  return std::clamp<Duration>(least / 4, std::chrono::milliseconds{10}, std::chrono::seconds{1});
}

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
      sweep_alarm_{poller_, [this] { sweep(); }},
      sweep_every_{sweep_interval(state_->limits())} {
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
  const bool local = on_unix_socket(client);
  const auto connection = std::make_shared<Connection>(
      *this, std::move(socket), id, std::move(client), std::move(seat),
      certificates_ && !local ? std::make_unique<TlsSession>(certificates_->current()) : nullptr);
  connections_.emplace(id, connection);
  connection->start();
  watch_times();
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

void Worker::notice_change(std::function<void()> done) {
  work_->post([this, done = std::move(done)] {
    take_notice();
    done();
  });
}

void Worker::take_notice() {
  context_.limits = state_->limits();
  context_.keys.refresh();
  sweep_every_ = sweep_interval(context_.limits);
  std::vector<std::shared_ptr<Connection>> open;
  for (const auto& [id, connection] : connections_) open.push_back(connection);
  for (const auto& connection : open) connection->notice_change();
  watch_times();
}

void Worker::count_kept(std::size_t before, std::size_t now) {
  Tally& memory = context_.counters.memory;
  if (now < before) return memory.subtract(before - now);
  memory.add(now - before);
  state_->watch_memory(context_.limits.max_client_memory);
}

void Worker::name_heaviest(std::function<void(Heaviest)> then) {
  work_->post([this, then = std::move(then)] { then(heaviest()); });
}

Worker::Heaviest Worker::heaviest() const {
  Heaviest most;
  for (const auto& [id, connection] : connections_) {
    if (connection->kept() > most.kept) most = {id, connection->kept()};
  }
  return most;
}

void Worker::shed(Heaviest heaviest, std::function<void(const Shed&)> then) {
  work_->post([this, heaviest, then = std::move(then)] { then(shed_now(heaviest)); });
}

Worker::Shed Worker::shed_now(Heaviest heaviest) {
  const auto found = connections_.find(heaviest.id);
  if (found == connections_.end() || found->second->kept() < heaviest.kept / 2) return {};
  const std::shared_ptr<Connection> connection = found->second;
  context_.counters.closed_heavy.add();
  connection->send_away("ERR clients together keep more than server.max_client_memory, " +
                        format_bytes(context_.limits.max_client_memory) +
                        ", and you keep most of it");
  return connection->client();
}

// Sees to it that clients who had their time are found.
void Worker::watch_times() {
  if (connections_.empty() || sweep_every_ == Duration{}) return;
  if (!std::exchange(sweeping_, true)) sweep_alarm_.set(sweep_every_);
}

void Worker::close_all() {
  while (!connections_.empty()) connections_.begin()->second->close();
}

void Worker::watch_lingering() {
  if (std::exchange(some_linger_, true)) return;
  sweeping_ = true;
  sweep_alarm_.set(kSweepLingering);
}

// Closes connections whose clients had their time. A part of them at a time, so that
// others need not wait; one that a rehash moves is looked at in the next sweep.
void Worker::sweep() {
  if (sweep_position_ == 0) some_linger_ = false;
  std::vector<std::shared_ptr<Connection>> some;
  const std::size_t end = std::min(sweep_position_ + kBucketsAtOnce, connections_.bucket_count());
  for (; sweep_position_ < end; ++sweep_position_) {
    for (auto each = connections_.begin(sweep_position_); each != connections_.end(sweep_position_);
         ++each) {
      some.push_back(each->second);
    }
  }
  const TimePoint time = now();
  for (const auto& connection : some) {
    connection->close_if_late(time);
    some_linger_ = some_linger_ || connection->lingering();
  }
  if (sweep_position_ < connections_.bucket_count()) return sweep_alarm_.set(kSweepOn);

  sweep_position_ = 0;
  const bool goes_on = !connections_.empty() && (some_linger_ || sweep_every_ > Duration{});
  sweeping_ = goes_on;
  some_linger_ = some_linger_ && goes_on;
  if (goes_on) sweep_alarm_.set(some_linger_ ? Duration{kSweepLingering} : sweep_every_);
}

}  // namespace larder
