// Shows how far a long piece of work is: a bar on a terminal, a line now and
// then where there is none.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "larder/clock.hpp"

namespace larder::demo {

enum class Screen : std::uint8_t { kTerminal, kPlain };

// The line of the bar: "Building the shop ███████░░░  64 %  2 s left".
// Exposed for its tests.
[[nodiscard]] std::string bar_line(std::string_view what, double share, Duration passed);

class ProgressBar {
 public:
  // REQUIRES: `out` and `clock` outlive it.
  ProgressBar(std::ostream& out, Screen screen, std::string what, const Clock& clock);
  // Wipes the bar away.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap enough to be called thousands of times.
  void show(std::uint64_t done, std::uint64_t total);

 private:
  void show_bar(double share);
  void show_line(double share);

  std::ostream& out_;
  Screen screen_;
  std::string what_;
  const Clock& clock_;
  TimePoint start_;
  std::optional<TimePoint> drawn_;  // the bar, last
  unsigned told_ = 0;               // quarters, on plain output
};

}  // namespace larder::demo
