// Which of several servers has a key: ketama's consistent hashing, as libketama and
// libmemcached (MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, servers of equal weight) place it.
//
// Each server has 160 points on a ring, four from each MD5 of "HOST-N" or, where its port is
// not 11211, "HOST:PORT-N"; a key belongs to the first point at or behind its own MD5. So a
// server that comes or goes moves its own share of the keys and no others.
//
// Pure logic. Threads: immutable once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace larder::memcached {

class Ketama {
 public:
  // What the servers are called, in their order: "HOST", or "HOST:PORT". REQUIRES: one at
  // least, fewer than 65,536.
  explicit Ketama(std::span<const std::string> servers);

  // The index of the key's server. O(log servers), and an MD5 where there are several.
  [[nodiscard]] std::size_t server_of(std::string_view key) const;

 private:
  struct Point {
    std::uint32_t at;
    std::uint16_t server;
  };
  std::vector<Point> ring_;  // ascending
};

}  // namespace larder::memcached
