#include "demo/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace larder::demo {
namespace {

constexpr int kCells = 30;
constexpr Duration kBetweenDrawings = std::chrono::milliseconds{100};
constexpr std::string_view kWipe = "\r\033[K";

}  // namespace

std::string bar_line(std::string_view what, double share, Duration passed) {
  const double sure = std::clamp(share, 0.0, 1.0);
  const int full = static_cast<int>(sure * kCells);
  std::string cells;
  for (int i = 0; i < kCells; ++i) cells += i < full ? "█" : "░";
  std::string line = fmt::format("{} {} {:3.0f} %", what, cells, sure * 100);
  if (sure >= 0.05 && sure < 1) {
    const double seconds = std::chrono::duration<double>{passed}.count() * (1 - sure) / sure;
    line += fmt::format("  {:.0f} s left", std::ceil(seconds));
  }
  return line;
}

ProgressBar::ProgressBar(std::ostream& out, Screen screen, std::string what, const Clock& clock)
    : out_{out}, screen_{screen}, what_{std::move(what)}, clock_{clock}, start_{clock.now()} {}

ProgressBar::~ProgressBar() {
  if (drawn_) out_ << kWipe << std::flush;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total) {
  const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  if (screen_ == Screen::kTerminal) {
    show_bar(share);
  } else {
    show_line(share);
  }
}

void ProgressBar::show_bar(double share) {
  const TimePoint now = clock_.now();
  if (drawn_ && now - *drawn_ < kBetweenDrawings) return;
  drawn_ = now;
  out_ << kWipe << bar_line(what_, share, now - start_) << std::flush;
}

void ProgressBar::show_line(double share) {
  const auto quarters = static_cast<unsigned>(share * 4);
  if (quarters <= told_) return;
  told_ = quarters;
  out_ << fmt::format("{}: {} %\n", what_, quarters * 25) << std::flush;
}

}  // namespace larder::demo
