// "Call me back after a while", as what needs no executor sees it.
//
// Runtime offers the real one; tests one that moves with their clock.
#pragma once

#include <functional>
#include <memory>

#include "larder/clock.hpp"

namespace larder {

// A call that is due later. Destroying it calls it off, unless it has begun.
// Threads: destroy on any thread.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Timers {
 public:
  virtual ~Timers() = default;

  // The time that they count. Threads: any.
  [[nodiscard]] virtual TimePoint now() const = 0;

  // Runs `due` once, on an I/O thread, `delay` from now; never before after()
  // has returned its Timer. Threads: any.
  [[nodiscard]] virtual std::unique_ptr<Timer> after(Duration delay,
                                                     std::move_only_function<void()> due) = 0;
};

}  // namespace larder
