// Accepts connections and hands each to the worker that has the fewest.
//
// All sockets on one thread, rather than one a thread on a shared port: the
// kernel would spread connections by hash, and few connections badly.
//
// Threads: as said at each member.
#pragma once

#include <spdlog/logger.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "server/admission.hpp"
#include "server/descriptor.hpp"
#include "server/server_state.hpp"
#include "server/worker.hpp"

namespace larder {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Accepts on the I/O thread of `io`.
  Listener(boost::asio::io_context& io, std::shared_ptr<ServerState> state,
           std::vector<std::shared_ptr<Worker>> workers, std::shared_ptr<Admission> admission,
           std::shared_ptr<spdlog::logger> log);

  // From start() on also takes clients of a socket that listens already, and does not
  // block. Before start().
  void add(Descriptor socket);
  // Begins to accept. Any thread, once.
  void start();
  // Accepts no more; connections that were not accepted yet are refused. Any thread.
  void stop();

 private:
  // A socket that listens, with what it needs to go on after a failure.
  struct Door {
    boost::asio::posix::stream_descriptor socket;
    boost::asio::steady_timer retry;
    bool failing = false;  // a lasting failure is logged once
  };

  void wait(Door& door);
  void accept_some(Door& door);
  void accepted(Descriptor socket, boost::asio::ip::address client);
  void turn_away(const Descriptor& socket, bool speaks_tls, ServerState::Rejection why);
  void retry_later(Door& door, boost::system::error_code error);
  [[nodiscard]] std::size_t least_loaded() const;
  [[nodiscard]] std::size_t load_of(std::size_t worker) const;

  boost::asio::io_context& io_;
  std::deque<Door> doors_;  // from start() on its thread alone uses them
  const std::shared_ptr<ServerState> state_;
  const std::vector<std::shared_ptr<Worker>> workers_;
  const std::shared_ptr<Admission> admission_;
  const std::shared_ptr<spdlog::logger> log_;
  std::vector<std::size_t> given_;  // connections ever handed to each worker
};

}  // namespace larder
