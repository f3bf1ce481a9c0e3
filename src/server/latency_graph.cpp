#include "server/latency_graph.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace larder {

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::int64_t kRows = 4;
constexpr std::string_view kMarks = "_o#";  // the lower, middle and upper third of a row

std::string ago(std::chrono::seconds time) {
  constexpr std::int64_t kDay = 86'400;
  const std::int64_t seconds = time.count();
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < kDay) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / kDay) + "d";
}

// What stands in a row, the highest being 0, of a column `height` thirds of a row high.
char mark(std::int64_t row, std::int64_t height) {
  const auto thirds = static_cast<std::int64_t>(kMarks.size());
  const std::int64_t third = height - (kRows - row - 1) * thirds;
  if (third < 0) return ' ';
  return third < thirds ? kMarks[static_cast<std::size_t>(third)] : '|';
}

// The columns of some spikes, and under them their labels, read downwards.
void draw(std::string& out, std::span<const SlowLog::Spike> spikes, std::int64_t low,
          std::int64_t high, std::chrono::seconds now) {
  const std::int64_t range = std::max<std::int64_t>(high - low, 1);
  const std::int64_t steps = kRows * static_cast<std::int64_t>(kMarks.size());
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (const SlowLog::Spike& spike : spikes) {
      const std::int64_t height = (spike.took.count() - low) * steps / range;
      out += mark(row, std::min(height, steps - 1));
    }
    out += '\n';
  }
  std::vector<std::string> labels;
  std::size_t longest = 0;
  for (const SlowLog::Spike& spike : spikes) {
    labels.push_back(ago(std::max(now - spike.at, std::chrono::seconds{0})));
    longest = std::max(longest, labels.back().size());
  }
  out.append(spikes.size(), ' ') += '\n';
  for (std::size_t i = 0; i < longest; ++i) {
    for (const std::string& label : labels) out += i < label.size() ? label[i] : ' ';
    out += '\n';
  }
}

}  // namespace

std::string latency_graph(std::string_view event, std::span<const SlowLog::Spike> spikes,
                          std::chrono::milliseconds worst, std::chrono::seconds now) {
  const auto [low, high] = std::ranges::minmax(spikes, {}, &SlowLog::Spike::took);
  std::string out{event};
  out += " - high " + std::to_string(high.took.count()) + " ms, low " +
         std::to_string(low.took.count()) + " ms (all time high " + std::to_string(worst.count()) +
         " ms)\n" + std::string(kColumns, '-') + "\n";
  for (std::size_t at = 0; at < spikes.size(); at += kColumns) {
    draw(out, spikes.subspan(at, std::min(kColumns, spikes.size() - at)), low.took.count(),
         high.took.count(), now);
  }
  return out;
}

}  // namespace larder
