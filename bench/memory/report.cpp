#include "report.hpp"

#include <cstdio>

namespace larder::bench {

void print_title(std::string_view title) {
  std::printf("\n%.*s\n", static_cast<int>(title.size()), title.data());
}

void print_standings(const std::vector<Standing>& standings) {
  std::printf("  %-34s %12s %8s %14s %8s\n", "", "wall ns", "ratio", "CPU ns/thread", "ratio");
  for (const Standing& standing : standings) {
    std::printf("  %-34s %12.1f %8.2f %14.1f %8.2f\n", standing.name.c_str(),
                standing.median.wall_ns, standing.ratio.wall_ns, standing.median.cpu_ns,
                standing.ratio.cpu_ns);
  }
  std::fflush(stdout);
}

void print_mark(std::string_view what, double value, std::string_view relation, double mark) {
  std::printf("  %.*s: %.3f (mark: %.*s %g)\n", static_cast<int>(what.size()), what.data(), value,
              static_cast<int>(relation.size()), relation.data(), mark);
  std::fflush(stdout);
}

}  // namespace larder::bench
