// A real redis-server, on a socket and a port of its own, with its data in a directory of
// its own.
//
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "demo/temporary_directory.hpp"
#include "resp/reply_decoder.hpp"
#include "server/differential/peer.hpp"

namespace larder::test {

class RedisServer {
 public:
  // Whether redis-server is installed here; if not, its tests are skipped.
  [[nodiscard]] static bool installed();
  // Options of a node of a cluster. Its bus has a port that was free: without one it is 10,000
  // above the node's, where others' ports are, or behind the last.
  [[nodiscard]] static std::vector<std::string> node_options();
  // Its path. REQUIRES: installed().
  [[nodiscard]] static std::string program();

  // Starts it, with more of its options ("--requirepass", "x"), and waits until it
  // answers, though it be with an error. Throws std::runtime_error if it does not.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::string socket() const { return directory_.path() / "redis.sock"; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

  // A reply, on a connection for this alone.
  resp::Reply ask(const Words& command) const;

  // Waits until its first replica has all that was written until now. (WAIT would tell
  // that of its own connection's writes alone.)
  void wait_for_replica() const;

  // SIGKILL, and what is left of it.
  void kill();
  // SIGSTOP and SIGCONT.
  void pause() const;
  void resume() const;
  // Starts it again, on the same socket and port, over the same data. REQUIRES: killed.
  void start();

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> options_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace larder::test
