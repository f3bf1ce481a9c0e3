// A real memcached, on a port of its own, or on a socket alone.
//
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "demo/temporary_directory.hpp"

namespace larder::test {

class MemcachedServer {
 public:
  enum class Listens : std::uint8_t { kPort, kSocket };

  // Whether memcached is installed here; if not, its tests are skipped.
  [[nodiscard]] static bool installed();

  // Starts it, with more of its options ("-I", "2m"), and waits until it answers. Throws
  // std::runtime_error if it does not.
  explicit MemcachedServer(std::vector<std::string> options = {}, Listens listens = Listens::kPort);
  ~MemcachedServer();
  MemcachedServer(const MemcachedServer&) = delete;
  MemcachedServer& operator=(const MemcachedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string socket() const { return directory_.path() / "memcached.sock"; }
  [[nodiscard]] std::string url() const;

  // What it answers to these lines, which are sent as they are, on a connection for this
  // alone. Throws std::runtime_error if there is none.
  std::string ask(const std::string& lines) const;
  // The number behind this name in `stats`.
  std::uint64_t stat(const std::string& name) const;

  // SIGKILL, and what is left of it.
  void kill();
  // SIGSTOP and SIGCONT.
  void pause() const;
  void resume() const;
  // Starts it again, on the same port, empty. REQUIRES: killed.
  void start();

 private:
  [[nodiscard]] int connect() const;

  TemporaryDirectory directory_;
  std::vector<std::string> options_;
  Listens listens_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace larder::test
