#include "rounds.hpp"

#include <time.h>

#include <algorithm>
#include <barrier>
#include <thread>

namespace larder::bench {

namespace {

using Time = std::chrono::steady_clock::time_point;

std::chrono::nanoseconds processor_time() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
}

struct Stint {
  std::uint64_t operations = 0;
  Time begin{};
  Time end{};
  std::chrono::nanoseconds processor{};
};

}  // namespace

Cost measure(unsigned threads, std::chrono::milliseconds slice,
             const std::function<std::uint64_t(unsigned thread)>& work) {
  std::vector<Stint> stints(threads);
  std::barrier ready{static_cast<std::ptrdiff_t>(threads)};
  const auto run = [&](unsigned thread) {
    Stint& stint = stints[thread];
    ready.arrive_and_wait();
    stint.begin = std::chrono::steady_clock::now();
    const auto processor = processor_time();
    do {
      stint.operations += work(thread);
      stint.end = std::chrono::steady_clock::now();
    } while (stint.end - stint.begin < slice);
    stint.processor = processor_time() - processor;
  };
  {
    std::vector<std::jthread> others;
    for (unsigned thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
    run(0);
  }

  // Each thread's own throughput counts: they do not end at quite the same time.
  double throughput = 0;  // operations a nanosecond
  double operations = 0;
  double processor = 0;
  for (const Stint& stint : stints) {
    const std::chrono::duration<double, std::nano> wall = stint.end - stint.begin;
    throughput += static_cast<double>(stint.operations) / wall.count();
    operations += static_cast<double>(stint.operations);
    processor += static_cast<double>(stint.processor.count());
  }
  return {.wall_ns = 1 / throughput, .cpu_ns = processor / operations};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::vector<Standing> compete(const std::vector<Contender>& contenders, unsigned rounds) {
  std::vector<std::vector<Cost>> costs(contenders.size());
  for (unsigned round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const Cost cost = contenders[i].run();
      if (round > 0) costs[i].push_back(cost);  // the first warms up
    }
  }
  const auto over_rounds = [&](auto&& value) {
    std::vector<double> values;
    for (unsigned round = 0; round < rounds; ++round) values.push_back(value(round));
    return median(std::move(values));
  };
  std::vector<Standing> standings;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    standings.push_back(
        {.name = contenders[i].name,
         .median = {.wall_ns = over_rounds([&](auto round) { return costs[i][round].wall_ns; }),
                    .cpu_ns = over_rounds([&](auto round) { return costs[i][round].cpu_ns; })},
         .ratio = {.wall_ns = over_rounds([&](auto round) {
                     return costs[i][round].wall_ns / costs[0][round].wall_ns;
                   }),
                   .cpu_ns = over_rounds([&](auto round) {
                     return costs[i][round].cpu_ns / costs[0][round].cpu_ns;
                   })}});
  }
  return standings;
}

}  // namespace larder::bench
