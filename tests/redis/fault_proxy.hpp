// A network between a program and a server that can be cut, in one direction too, or slow.
//
// What is on its way when a direction is held arrives when it is let go, however late, and
// though the sender has given up meanwhile: as over a real network.
//
// It is a process of its own, so that programs may be forked beside it.
//
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "larder/clock.hpp"

namespace larder::test {

class FaultProxy {
 public:
  enum class Direction : std::uint8_t { kToServer, kToProgram };

  // Listens on a free port of 127.0.0.1, or on `port`, and goes on to `server` there. Throws
  // std::runtime_error if it cannot. REQUIRES: no other threads.
  explicit FaultProxy(std::uint16_t server, std::uint16_t port = 0);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

  // From now on nothing goes through in this direction, and new connections get nowhere.
  void hold(Direction direction) { way(direction).held = true; }
  // From now on what comes in this direction takes so long.
  void delay(Direction direction, Duration by) { way(direction).delay = by.count(); }
  // All is as it was, and what was held arrives.
  void let_go();
  // Breaks the connections that there are.
  void cut() { ++control_->cuts; }

 private:
  struct Way {
    std::atomic<bool> held{false};
    std::atomic<Duration::rep> delay{0};
  };
  // In memory that both processes have.
  struct Control {
    Way ways[2]{};
    std::atomic<unsigned> cuts{0};
  };
  class Loop;

  Way& way(Direction direction) { return control_->ways[static_cast<std::size_t>(direction)]; }

  Control* control_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace larder::test
