#include "demo/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace larder::demo {
namespace {

constexpr int kNameWidth = 32;
constexpr int kWidth = 17;
constexpr std::string_view kNone = "-";  // of a measure that a way does not have

// How many columns a UTF-8 text takes on a terminal: one a code point is true of all used here.
int columns_of(std::string_view text) {
  int columns = 0;
  for (const char byte : text) columns += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
  return columns;
}

// Right-aligned.
std::string cell(std::string_view text) {
  std::string padded(static_cast<std::size_t>(std::max(kWidth - columns_of(text), 1)), ' ');
  padded += text;
  return padded;
}

using Cells = std::array<std::string, 3>;

std::string line(std::string_view name, const Cells& cells) {
  std::string text = fmt::format("{:<{}}", name, kNameWidth);
  for (const std::string& each : cells) text += cell(each);
  text.resize(text.find_last_not_of(' ') + 1);
  text += '\n';
  return text;
}

// A line of what `measure` makes of each way.
template <class Measure>
std::string line_of(std::string_view name, const Comparison& runs, Measure measure) {
  return line(name, {measure(runs.alone), measure(runs.server), measure(runs.library)});
}

// How many times `other` one is; 0 when there is nothing to compare with.
double times(double one, double other) { return other > 0 ? one / other : 0; }

// "5.2 x", "37 x".
std::string times_text(double one, double other) {
  const double value = times(one, other);
  return fmt::format("{:.{}f} x", value, value >= 9.95 ? 0 : value >= 0.995 ? 1 : 2);
}

std::string paced_lines(const Comparison& runs) {
  std::string lines = line(fmt::format("at {} pages per second", rate_text(runs.pace)), {});
  for (const auto& [name, percentile] :
       {std::pair{"  p50", 50.0}, std::pair{"  p99", 99.0}, std::pair{"  p99.9", 99.9}}) {
    lines += line_of(name, runs, [p = percentile](const Way& way) {
      return short_text(way.paced.latencies.percentile(p));
    });
  }
  return lines;
}

}  // namespace

std::string to_table(const Comparison& runs) {
  const double alone = runs.alone.fastest.pages_per_second();
  std::string table = line("", {"SQLite alone", "larder serve", "larder library"});
  table += line_of("pages per second, at most", runs,
                   [](const Way& way) { return rate_text(way.fastest.pages_per_second()); });
  table += line_of("  times SQLite alone", runs, [&](const Way& way) {
    return times_text(way.fastest.pages_per_second(), alone);
  });
  table += line_of("SQL queries per second", runs,
                   [](const Way& way) { return rate_text(way.fastest.queries_per_second()); });
  table += line_of("hit ratio", runs, [&](const Way& way) {
    return &way == &runs.alone ? std::string{kNone} : percent(way.fastest.hit_ratio());
  });
  table += line_of("CPU a page, making it", runs, [](const Way& way) {
    return short_text(way.fastest.per_page(way.fastest.serving));
  });
  table += line_of("CPU a page, fetching it", runs, [](const Way& way) {
    const Duration viewing = way.fastest.per_page(way.fastest.viewing);
    return viewing == Duration::zero() ? std::string{kNone} : short_text(viewing);
  });
  return table + paced_lines(runs);
}

std::string to_sentences(const Comparison& runs) {
  const Measured& alone = runs.alone.fastest;
  const Measured& server = runs.server.fastest;
  const Measured& library = runs.library.fastest;
  return fmt::format(
      "larder serve gives {:.1f} times the pages of SQLite alone for {} fewer queries a page,\n"
      "and larder as a library inside the backend {:.0f} times. Where the time goes: SQLite, too,\n"
      "works inside the backend and pays for no connection. A page from larder serve crosses\n"
      "one, and both its ends run on the processors of this machine.\n",
      times(server.pages_per_second(), alone.pages_per_second()), percent(server.hit_ratio()),
      times(library.pages_per_second(), alone.pages_per_second()));
}

std::string rate_text(double per_second) {
  return grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string short_text(Duration duration) {
  constexpr std::array<std::string_view, 4> kUnits{"ns", "µs", "ms", "s"};
  auto value = static_cast<double>(duration.count());
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, digits, kUnits[unit]);
}

}  // namespace larder::demo
