// Keeps what all clients together make a server keep in memory below
// server.max_client_memory: while it is more, the client that keeps most is closed.
//
// Each worker counts what its connections keep, and looks at the sum of all workers when
// one of its own grows. If that is too much, a round begins: every worker names its
// heaviest connection, and whoever has the heaviest of these closes it.
//
// Threads: look() by any; one round at a time, on the workers' threads. Held by
// shared_ptr, for rounds under way.
#pragma once

#include <spdlog/logger.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "server/server_state.hpp"
#include "server/worker.hpp"

namespace larder {

class Shedder : public std::enable_shared_from_this<Shedder> {
 public:
  Shedder(std::shared_ptr<ServerState> state, const std::vector<std::shared_ptr<Worker>>& workers,
          std::shared_ptr<spdlog::logger> log);

  // Clients keep too much, as somebody saw. Returns at once.
  void look();

 private:
  struct Round;

  void begin();
  void end(const Round& round);
  void ended();

  const std::shared_ptr<ServerState> state_;
  // Their queues may hold a round, and so this.
  std::vector<std::weak_ptr<Worker>> workers_;
  const std::shared_ptr<spdlog::logger> log_;
  std::atomic<bool> busy_{false};  // a round is under way
};

}  // namespace larder
