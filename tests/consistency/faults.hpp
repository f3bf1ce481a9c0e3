// What is done to the servers and processes of a consistency run, one fault at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "redis/redis_server.hpp"

namespace larder::consistency {

class Faults {
 public:
  // `doomed` is told which of the processes is about to be killed, `fork` starts another in
  // its place.
  Faults(std::vector<test::RedisServer*> servers, std::vector<pid_t>& processes,
         std::function<void(std::size_t)> doomed, std::function<pid_t(std::size_t)> fork,
         std::uint64_t seed)
      : servers_{std::move(servers)},
        processes_{processes},
        doomed_{std::move(doomed)},
        fork_{std::move(fork)},
        random_{static_cast<std::minstd_rand::result_type>(seed)} {}

  // Injects one, and ends it.
  void inject();

  [[nodiscard]] const std::map<std::string, unsigned>& counts() const { return counts_; }

 private:
  void restart_server(bool with_the_past);
  void stop_server();
  void cut_connections();
  void stop_process();
  void kill_process();

  [[nodiscard]] test::RedisServer& any_server() { return *servers_[random_() % servers_.size()]; }
  void last(unsigned least, unsigned most);  // milliseconds

  std::vector<test::RedisServer*> servers_;
  std::vector<pid_t>& processes_;
  std::function<void(std::size_t)> doomed_;
  std::function<pid_t(std::size_t)> fork_;
  std::minstd_rand random_;
  std::map<std::string, unsigned> counts_;
};

}  // namespace larder::consistency
