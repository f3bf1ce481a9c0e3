// One thread's share of a server: its connections, what they share, and the loop
// that serves them.
//
// Threads: confined to its own thread, but for the constructor and the members
// said to be called by any.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/admission.hpp"
#include "server/alarm.hpp"
#include "server/connection.hpp"
#include "server/descriptor.hpp"
#include "server/poller.hpp"
#include "server/session.hpp"
#include "server/work_queue.hpp"
#include "tls/tls_context.hpp"

namespace larder {

class Worker {
 public:
  // Without `certificates` its clients speak plainly. Throws std::system_error when
  // the system has no more descriptors.
  Worker(std::shared_ptr<ServerState> state, std::size_t thread,
         std::shared_ptr<TlsCertificates> certificates);
  // As stop().
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts its thread. Any thread, once.
  void start();
  // Ends its thread, with the connections that are still open, and waits for that.
  // Any other thread; after the first call it does nothing.
  void stop();

  [[nodiscard]] const Counters& counters() const { return context_.counters; }

  // Takes over a socket that does not block. Any thread.
  void adopt(Descriptor socket, std::uint64_t id, boost::asio::ip::address client,
             Admission::Seat seat);
  // Answers what was asked and closes all connections; then calls `done`, on its
  // own thread. Connections that come later are closed at once. Any thread, once.
  void finish(std::function<void()> done);
  // Closes what is still open. Any thread.
  void abort();
  // Takes over the limits, caches and users that are in force now, for all its
  // connections; then calls `done`, on its own thread. Any thread.
  void notice_change(std::function<void()> done);
  // Calls `then`, on its own thread, with the connection that keeps most memory; or with
  // zeros. Any thread.
  struct Heaviest {
    std::uint64_t id = 0;
    std::size_t kept = 0;
  };
  void name_heaviest(std::function<void(Heaviest)> then);
  // Closes a connection for what it keeps, unless it is gone or keeps less than half of
  // that by now; then calls `then`, on its own thread, with the client's address if it
  // did. Any thread.
  using Shed = std::optional<boost::asio::ip::address>;
  void shed(Heaviest heaviest, std::function<void(const Shed&)> then);

  // ---- For its connections. ----

  [[nodiscard]] SessionContext& context() { return context_; }
  [[nodiscard]] Poller& poller() { return poller_; }
  [[nodiscard]] const std::shared_ptr<WorkQueue>& work() const { return work_; }
  [[nodiscard]] std::span<char> read_buffer() { return read_buffer_; }
  // Lets the connection go on once the others had their turn.
  void again(Connection& connection) { again_.push_back(connection.shared_from_this()); }
  void forget(Connection& connection);
  // A connection keeps so many bytes instead of others.
  void count_kept(std::size_t before, std::size_t now);
  void watch_lingering();
  [[nodiscard]] TimePoint now() const { return state_->keyspace().clock().now(); }

 private:
  void run();
  void take(Descriptor socket, std::uint64_t id, boost::asio::ip::address client,
            Admission::Seat seat);
  void close_all();
  void take_notice();
  [[nodiscard]] Heaviest heaviest() const;
  [[nodiscard]] Shed shed_now(Heaviest heaviest);
  void watch_times();
  void sweep();

  const std::shared_ptr<ServerState> state_;
  const std::shared_ptr<TlsCertificates> certificates_;  // null: no TLS
  SessionContext context_;
  Poller poller_;
  const std::shared_ptr<WorkQueue> work_;  // shared with answers that come late
  Alarm sweep_alarm_;
  Duration sweep_every_;            // for limits; 0: there are none
  bool sweeping_ = false;           // the alarm is set
  bool some_linger_ = false;        // as far as this sweep knows
  std::size_t sweep_position_ = 0;  // among the buckets of connections_
  bool finishing_ = false;
  bool stopping_ = false;
  std::function<void()> done_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;  // by id
  std::vector<std::shared_ptr<Connection>> again_;       // those that have more to read
  std::vector<std::shared_ptr<Connection>> turn_;        // those of again_ whose turn it is
  std::vector<std::shared_ptr<Connection>> gone_;        // closed in this round
  std::array<char, std::size_t{64} << 10> read_buffer_;  // whoever reads, during one turn
  std::thread thread_;
};

}  // namespace larder
