// Contenders in turn, round after round, so that what else the machine does
// hits all of them alike; medians, and medians of the ratios within a round.
//
// Threads: the caller's; measure() starts and joins those it is asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace larder::bench {

// What one operation took.
struct Cost {
  double wall_ns = 0;  // of all the threads together: the inverse of the throughput
  double cpu_ns = 0;   // of a thread: what a busy machine does not distort much
};

// Runs `work(thread)` on each of so many threads at once, over and over, until
// `slice` is over. It does some thousands of operations and says how many.
[[nodiscard]] Cost measure(unsigned threads, std::chrono::milliseconds slice,
                           const std::function<std::uint64_t(unsigned thread)>& work);

struct Contender {
  std::string name;
  std::function<Cost()> run;
};

struct Standing {
  std::string name;
  Cost median;
  // Of the first contender's cost in the same round: medians of the rounds.
  Cost ratio;
};

[[nodiscard]] std::vector<Standing> compete(const std::vector<Contender>& contenders,
                                            unsigned rounds);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace larder::bench
