#include "demo/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace larder::demo {
namespace {

constexpr int kNameWidth = 26;
constexpr int kWidth = 16;

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

std::string line(std::string_view name, const std::array<std::string, 4>& cells) {
  std::string text = fmt::format("{:<{}}", name, kNameWidth);
  for (const std::string& each : cells) text += cell(each);
  text.resize(text.find_last_not_of(' ') + 1);
  text += '\n';
  return text;
}

std::string rate(double per_second) {
  return grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

// "5.2 x", "0.04 x".
std::string ratio(double larder, double straight) {
  if (straight <= 0) return "";
  const double times = larder / straight;
  const int digits = times >= 9.95 ? 0 : times >= 0.995 ? 1 : 2;
  return fmt::format("{:.{}f} x", times, digits);
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string duration_line(std::string_view name, Duration straight, Duration cold, Duration warm) {
  return line(name,
              {short_text(straight), short_text(cold), short_text(warm),
               ratio(static_cast<double>(warm.count()), static_cast<double>(straight.count()))});
}

}  // namespace

std::string to_table(const Comparison& runs) {
  const auto& [straight, cold, warm] = runs;
  std::string table = line("", {"SQLite alone", "larder, cold", "larder, warm", "warm / alone"});
  table += line("pages per second", {rate(straight.pages_per_second()),
                                     rate(cold.pages_per_second()), rate(warm.pages_per_second()),
                                     ratio(warm.pages_per_second(), straight.pages_per_second())});
  for (const auto& [name, percentile] :
       {std::pair{"p50", 50.0}, std::pair{"p99", 99.0}, std::pair{"p99.9", 99.9}}) {
    table +=
        duration_line(name, straight.latencies.percentile(percentile),
                      cold.latencies.percentile(percentile), warm.latencies.percentile(percentile));
  }
  table += line("SQL queries per second",
                {rate(straight.queries_per_second()), rate(cold.queries_per_second()),
                 rate(warm.queries_per_second()),
                 ratio(warm.queries_per_second(), straight.queries_per_second())});
  table += line("hit ratio", {"-", percent(cold.hit_ratio()), percent(warm.hit_ratio()), ""});
  table += duration_line("CPU a page, serving", straight.per_page(straight.serving),
                         cold.per_page(cold.serving), warm.per_page(warm.serving));
  table += line("CPU a page, viewing", {"-", short_text(cold.per_page(cold.viewing)),
                                        short_text(warm.per_page(warm.viewing)), ""});
  return table;
}

std::string to_sentence(const Comparison& runs) {
  const double times = runs.straight.pages_per_second() > 0
                           ? runs.warm.pages_per_second() / runs.straight.pages_per_second()
                           : 0;
  return fmt::format(
      "Warm, larder gives {:.1f} times the pages that SQLite alone gives, and {:.1f} % of them "
      "cost no query.",
      times, runs.warm.hit_ratio() * 100);
}

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
