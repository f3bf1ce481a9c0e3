// What is done to the servers, the processes of a consistency run and the network between, one
// fault at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "consistency/board.hpp"
#include "redis/fault_proxy.hpp"
#include "redis/redis_cluster.hpp"

namespace larder::consistency {

// A server as faults see it.
struct Server {
  std::function<void()> kill;
  std::function<void()> start;  // again, where it was
  std::function<void()> pause;
  std::function<void()> resume;
  std::function<void()> cut;   // all connections
  std::function<void()> save;  // what a start brings back; null: it always comes back empty
};

// One of the processes, or the one in its place.
struct Seat {
  pid_t process = -1;
  std::size_t number = 0;  // on the board
  // Between it and each server; none: there is none.
  std::vector<std::unique_ptr<test::FaultProxy>> networks{};
};

class Faults {
 public:
  // `start` starts another process on a seat whose process is no more. `through`: writes go
  // through the caches, and are stopped and killed at each of their steps. `cluster`: the servers',
  // with networks; null: the processes have them.
  Faults(Board& board, std::vector<Server> servers, test::RedisCluster* cluster,
         std::vector<Seat>& seats, std::function<void(Seat&)> start, bool through,
         std::uint64_t seed)
      : board_{board},
        servers_{std::move(servers)},
        cluster_{cluster},
        seats_{seats},
        start_{std::move(start)},
        through_{through},
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
  void at_a_step(bool kill_it);
  void cut_off(bool one_way);
  void slow_down();
  void fail_over();
  void hand_over();

  // Between what is cut off and the rest: a process and a server, or a node of a cluster and all
  // who talk to it.
  struct Cut {
    std::string whom;
    test::FaultProxy* network;
  };
  [[nodiscard]] Cut any_network();
  void kill(Seat& seat);
  [[nodiscard]] Server& any_server() { return servers_[random_() % servers_.size()]; }
  [[nodiscard]] Seat& any_seat() { return seats_[random_() % seats_.size()]; }
  void last(unsigned least, unsigned most);  // milliseconds

  Board& board_;
  std::vector<Server> servers_;
  test::RedisCluster* cluster_;
  std::vector<Seat>& seats_;
  std::function<void(Seat&)> start_;
  bool through_;
  std::minstd_rand random_;
  std::map<std::string, unsigned> counts_;
};

}  // namespace larder::consistency
