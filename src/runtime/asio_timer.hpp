// A timer on an I/O thread that may be destroyed on any other, and after it,
// while Asio's own may not: the destructor only says that it is over, and the I/O
// thread does the rest.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "larder/timers.hpp"
#include "runtime/io_thread.hpp"

namespace larder {

class AsioTimer final : public Timer {
 public:
  AsioTimer(const std::shared_ptr<IoThread>& io, Duration delay,
            std::move_only_function<void()> due);
  ~AsioTimer() override;
  AsioTimer(const AsioTimer&) = delete;
  AsioTimer& operator=(const AsioTimer&) = delete;

 private:
  struct State {
    State(std::shared_ptr<IoThread> thread, std::move_only_function<void()> what)
        : io{std::move(thread)}, timer{io->context()}, due{std::move(what)} {}

    const std::shared_ptr<IoThread> io;
    boost::asio::steady_timer timer;  // touched on its I/O thread only
    std::move_only_function<void()> due;
    std::atomic<bool> over{false};  // called, or called off
  };

  std::shared_ptr<State> state_;
};

}  // namespace larder
