// Servers of the Redis protocol that take the writes: larder, writing behind, and Redis, with a
// log of what it takes. Clients reach both in the same way.
//
// Threads: one at a time; what client() gives belongs to one thread each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "demo/temporary_directory.hpp"
#include "redis/redis_server.hpp"
#include "server/running_larder.hpp"

namespace larder {

// One client's way to write: makes the price of row `id` `price`.
using SetPrice = std::function<void(int id, int price)>;

// A connection to the server on `port`, a SET each write.
[[nodiscard]] SetPrice set_by_resp(std::uint16_t port);

// `larder serve` with a cache that writes behind to the database at `url`, each write
// acknowledged when it is on disk.
class WriteBehindDoor {
 public:
  explicit WriteBehindDoor(const std::string& url);

  [[nodiscard]] SetPrice client() const { return set_by_resp(larder_->port()); }
  // Waits until the database has all.
  void wait_until_flushed() const;
  // Since its start.
  [[nodiscard]] double written() const;
  [[nodiscard]] double transactions() const;

 private:
  [[nodiscard]] double metric(const std::string& name) const;

  test::TemporaryDirectory directory_;
  std::optional<test::RunningLarder> larder_;
};

// Redis with `appendfsync`, "always" or "everysec".
class RedisDoor {
 public:
  explicit RedisDoor(const std::string& appendfsync);

  [[nodiscard]] SetPrice client() const { return set_by_resp(redis_.port()); }

 private:
  test::RedisServer redis_;
};

}  // namespace larder
