// A master, its replica, and three real sentinels that watch them.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "demo/child.hpp"
#include "demo/temporary_directory.hpp"
#include "redis/redis_server.hpp"

namespace larder::test {

class SentinelGroup {
 public:
  static constexpr std::size_t kSentinels = 3;

  // Starts it and waits until the sentinels know each other and the replica. Throws
  // std::runtime_error if that does not come about. REQUIRES: RedisServer::installed().
  SentinelGroup();
  SentinelGroup(const SentinelGroup&) = delete;
  SentinelGroup& operator=(const SentinelGroup&) = delete;

  // They call the master "shop".
  [[nodiscard]] std::string url(const std::string& master = "shop") const;
  [[nodiscard]] RedisServer& first() { return *servers_[0]; }   // the master at the start
  [[nodiscard]] RedisServer& second() { return *servers_[1]; }  // its replica

  // Waits until all sentinels say that this one is the master.
  void wait_for_master(const RedisServer& server) const;

 private:
  void start_sentinel();
  [[nodiscard]] static std::string field(std::uint16_t sentinel, const std::string& name);

  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::uint16_t> ports_;
  std::vector<demo::Child> sentinels_;
};

}  // namespace larder::test
