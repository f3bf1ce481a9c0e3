// Is there traffic that larder's eviction is bad at? Hit ratios beside those of other
// policies, by kind of traffic.
//
// bench_policies [TRAFFIC…] [--short] [--write FOLDER]
//
// --write leaves the traces in FOLDER, for `larder simulate`.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulate/replay.hpp"
#include "traffic.hpp"

namespace larder::bench {
namespace {

namespace sim = larder::simulate;

constexpr std::array<std::uint64_t, 3> kEntries{500, 2000, 8000};
constexpr std::array kShares{0.01, 0.05, 0.2};  // of all bytes, where sizes differ
constexpr double kMark = -3;                    // points

struct Order {
  std::vector<const Traffic*> asked;
  std::size_t accesses = 500'000;
  std::string folder;
};

// How far larder is from the best of the others: at worst, and sums over the points.
struct Standing {
  double worst = 100;
  double larder = 0;
  double of_bests = 0;
  unsigned points = 0;
};

// A line: what each policy reaches, by one of the two ratios.
void print_line(std::uint64_t capacity, const std::vector<sim::Ratios>& reached,
                double sim::Ratios::* ratio, Standing& standing) {
  double best = 0;
  double larder = 0;
  std::printf("  %12llu", static_cast<unsigned long long>(capacity));
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const std::string_view policy = sim::policies()[i].name;
    const double percent = 100 * reached[i].*ratio;
    std::printf(" %9.2f", percent);
    if (policy == "larder") {
      larder = percent;
    } else if (policy != "belady") {
      best = std::max(best, percent);
    }
  }
  std::printf(" %+9.2f%s\n", larder - best, ratio == &sim::Ratios::bytes ? " of the bytes" : "");
  std::fflush(stdout);
  standing.worst = std::min(standing.worst, larder - best);
  standing.larder += larder;
  standing.of_bests += best;
  ++standing.points;
}

void compare(const sim::Trace& trace, std::uint64_t capacity, Standing& standing) {
  const sim::Replay replay{trace, {}};
  std::vector<sim::Ratios> reached;
  for (const sim::PolicyKind& kind : sim::policies()) reached.push_back(replay.run(kind, capacity));
  print_line(capacity, reached, &sim::Ratios::hits, standing);
  if (trace.has_bytes) print_line(capacity, reached, &sim::Ratios::bytes, standing);
}

void write(const sim::Trace& trace, const std::string& file) {
  std::ofstream out{file};
  for (const sim::Access& access : trace.accesses) {
    if (trace.has_bytes) {
      out << std::chrono::duration<double>{access.at}.count() << ',' << access.key << ','
          << access.bytes << '\n';
    } else {
      out << access.key << '\n';
    }
  }
}

void answer(const Order& order) {
  constexpr std::uint64_t kSeed = 20;
  std::printf("hit ratios in percent\n\n  %12s", "capacity");
  for (const sim::PolicyKind& kind : sim::policies()) std::printf(" %9s", kind.name.data());
  std::printf(" %9s\n", "to best");
  Standing standing;
  for (const Traffic* traffic : order.asked) {
    const sim::Trace trace = traffic->make(order.accesses, kSeed);
    std::printf("%s: %s\n", traffic->name.data(), traffic->meaning.data());
    for (std::size_t i = 0; i < kEntries.size(); ++i) {
      const auto share =
          static_cast<std::uint64_t>(kShares[i] * static_cast<double>(trace.total_bytes));
      compare(trace, trace.has_bytes ? share : kEntries[i], standing);
    }
    if (!order.folder.empty())
      write(trace, order.folder + "/" + std::string{traffic->name} + ".txt");
  }
  std::printf("\nmean: larder %.2f, the best of the others at each point %.2f\n",
              standing.larder / standing.points, standing.of_bests / standing.points);
  std::printf("larder to the best of the others, at worst: %.2f points (mark: >= %g)\n",
              standing.worst, kMark);
}

int usage() {
  std::fprintf(stderr, "usage: bench_policies [TRAFFIC…] [--short] [--write FOLDER]\n\n");
  for (const Traffic& traffic : kinds_of_traffic()) {
    std::fprintf(stderr, "  %-10s %s\n", traffic.name.data(), traffic.meaning.data());
  }
  return 2;
}

std::optional<Order> read(const std::vector<std::string_view>& arguments) {
  Order order;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const auto found = std::ranges::find(kinds_of_traffic(), argument, &Traffic::name);
    if (found != kinds_of_traffic().end()) {
      order.asked.push_back(&*found);
    } else if (argument == "--short") {
      order.accesses = 5'000;
    } else if (argument == "--write" && i + 1 < arguments.size()) {
      order.folder = arguments[++i];
    } else {
      return std::nullopt;
    }
  }
  if (order.asked.empty()) {
    for (const Traffic& traffic : kinds_of_traffic()) order.asked.push_back(&traffic);
  }
  return order;
}

}  // namespace
}  // namespace larder::bench

int main(int count, char** arguments) {
  const auto order = larder::bench::read({arguments + 1, arguments + count});
  if (!order) return larder::bench::usage();
  larder::bench::answer(*order);
}
