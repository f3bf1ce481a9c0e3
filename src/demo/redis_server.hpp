// Debian's redis-server as a child of this process: the tier that a fleet shares.
//
// It keeps nothing on disk.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "demo/child.hpp"
#include "larder/error.hpp"

namespace larder::demo {

class RedisServer {
 public:
  // Whether there is one to start; the Error says where it comes from.
  [[nodiscard]] static Result<void> look();

  // Starts one on `port` of 127.0.0.1, its log in `directory`, and returns when it
  // answers. kCancelled after `stop`. It gets SIGTERM when the calling thread ends.
  [[nodiscard]] static Result<RedisServer> start(const std::filesystem::path& directory,
                                                 std::uint16_t port, const std::stop_token& stop);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

  // Ends it as a crash would, and returns when it is gone.
  void kill();
  // Starts it again after kill(), empty, and returns when it answers.
  [[nodiscard]] Result<void> restart(const std::stop_token& stop);

 private:
  RedisServer(std::filesystem::path log, std::uint16_t port) : log_{std::move(log)}, port_{port} {}

  std::filesystem::path log_;
  std::uint16_t port_;
  std::optional<Child> child_;  // while it runs
};

}  // namespace larder::demo
