// A real cluster: three masters and as many replicas, made by redis-cli.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "redis/redis_server.hpp"
#include "redis/topology.hpp"

namespace larder::test {

class RedisCluster {
 public:
  static constexpr std::size_t kMasters = 3;

  // Whether redis-server and redis-cli are installed here.
  [[nodiscard]] static bool installed();

  // Starts it and waits until all nodes agree on who has which slots, and each replica
  // follows. Throws std::runtime_error if that does not come about.
  RedisCluster();
  RedisCluster(const RedisCluster&) = delete;
  RedisCluster& operator=(const RedisCluster&) = delete;

  [[nodiscard]] std::string url() const;
  // The first three were made masters.
  [[nodiscard]] RedisServer& node(std::size_t index) { return *nodes_[index]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

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

  std::vector<std::unique_ptr<RedisServer>> nodes_;
};

}  // namespace larder::test
