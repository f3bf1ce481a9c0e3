// Accepts connections and hands each to the worker that has the fewest.
//
// One acceptor on one thread, rather than one a thread on a shared port: the
// kernel would spread connections by hash, and few connections badly.
//
// Threads: as said at each member.
#pragma once

#include <spdlog/logger.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
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
  // `acceptor` listens already; from start() on its own thread alone uses it.
  Listener(boost::asio::ip::tcp::acceptor acceptor, std::shared_ptr<ServerState> state,
           std::vector<std::shared_ptr<Worker>> workers, std::shared_ptr<Admission> admission,
           std::shared_ptr<spdlog::logger> log);

  // Begins to accept. Any thread, once.
  void start();
  // Accepts no more; connections that were not accepted yet are refused. Any thread.
  void stop();

 private:
  void wait();
  void accept_some();
  void accepted(Descriptor socket, boost::asio::ip::address client);
  void turn_away(const Descriptor& socket, ServerState::Rejection why);
  void retry_later(boost::system::error_code error);
  [[nodiscard]] std::size_t least_loaded() const;
  [[nodiscard]] std::size_t load_of(std::size_t worker) const;

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  const std::shared_ptr<ServerState> state_;
  const std::vector<std::shared_ptr<Worker>> workers_;
  const std::shared_ptr<Admission> admission_;
  const std::shared_ptr<spdlog::logger> log_;
  std::vector<std::size_t> given_;  // connections ever handed to each worker
  bool failing_ = false;            // a lasting failure is logged once
};

}  // namespace larder
