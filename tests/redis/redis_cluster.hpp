// A real cluster: three masters and as many replicas, made by redis-cli.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "redis/fault_proxy.hpp"
#include "redis/redis_server.hpp"
#include "redis/topology.hpp"

namespace larder::test {

class RedisCluster {
 public:
  static constexpr std::size_t kMasters = 3;

  // Whether redis-server and redis-cli are installed here.
  [[nodiscard]] static bool installed();

  // What lies between a node and all others: the nodes announce it in the place of themselves.
  struct Network {
    std::unique_ptr<FaultProxy> clients;  // and replicas
    std::unique_ptr<FaultProxy> bus;      // what the others say to it
  };

  // Starts it and waits until all nodes agree on who has which slots, and each replica
  // follows. Throws std::runtime_error if that does not come about. With `networks`, no other
  // threads may run.
  explicit RedisCluster(bool networks = false);
  RedisCluster(const RedisCluster&) = delete;
  RedisCluster& operator=(const RedisCluster&) = delete;

  [[nodiscard]] std::string url() const;
  // The first three were made masters.
  [[nodiscard]] RedisServer& node(std::size_t index) { return *nodes_[index]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  // REQUIRES: made with networks.
  [[nodiscard]] Network& network(std::size_t index) { return networks_[index]; }

  // The masters as a node sees them.
  [[nodiscard]] redis::Topology topology(std::size_t seen_by) const;
  // The node that has a key's slot, as a node that lives sees it; of those that live.
  [[nodiscard]] std::size_t owner(std::string_view key, std::size_t seen_by) const;
  // Waits until a node sees such a topology.
  template <class Condition>
  void wait(std::size_t seen_by, Condition condition) const {
    while (!condition(topology(seen_by))) pause();
  }
  // Its identity in the cluster.
  [[nodiscard]] std::string id(std::size_t node) const;

 private:
  static void pause();
  // As it is announced.
  [[nodiscard]] std::uint16_t port(std::size_t node) const;

  std::vector<std::unique_ptr<RedisServer>> nodes_;
  std::vector<Network> networks_;  // empty: none
};

}  // namespace larder::test
