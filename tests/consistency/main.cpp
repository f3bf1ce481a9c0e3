// Do several larder processes over one Redis, or a cluster, keep promise 3 whatever happens?
//
//   consistency redis|cluster [--seconds N] [--seed N] [--faults 0]
//
// Random reads, writes (into the source, then an invalidation) and clears of few hot keys,
// whose values are versions, while servers and processes are killed, stopped, cut off and
// brought back with the past. An anomaly is a read that is older than an own
// acknowledged write, one that is older than another's for longer than the bound, and a copy
// that stays old. Ends with 1 if there was any.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "consistency/board.hpp"
#include "consistency/faults.hpp"
#include "consistency/worker.hpp"
#include "redis/redis_cluster.hpp"
#include "redis/redis_server.hpp"

namespace larder::consistency {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kProcesses = 4;
constexpr auto kCalm = 400ms;  // between two faults

struct Plan {
  bool cluster = false;
  std::chrono::seconds length{10};
  std::uint64_t seed = std::random_device{}();
  bool faults = true;
};

pid_t start_process(Board& board, const std::string& url, std::size_t number, std::uint64_t seed) {
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process != 0) return process;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(2);
  int status = 0;
  try {
    work(board, url, number, seed);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "consistency: %s\n", problem.what());
    status = 2;
  }
  ::_exit(status);  // not to end the servers, which are the parent's
}

unsigned long plain(std::uint64_t count) { return static_cast<unsigned long>(count); }

int report(const Board& board, const Faults& faults, bool all_ended, const Plan& plan) {
  std::printf("consistency of %s, %lds, seed %lu\n", plan.cluster ? "a cluster" : "one Redis",
              static_cast<long>(plan.length.count()), plain(plan.seed));
  std::printf("  reads %lu, writes %lu, reads without an answer %lu\n", plain(board.reads),
              plain(board.writes), plain(board.errors));
  for (const auto& [name, count] : faults.counts()) std::printf("  %s: %u\n", name.c_str(), count);
  std::printf(
      "  reads that did not see another's write yet: %lu; for p50 %ld, p99 %ld, most %ld ms\n",
      plain(board.stale_reads()), static_cast<long>(board.staleness(0.5).count()),
      static_cast<long>(board.staleness(0.99).count()),
      static_cast<long>(board.staleness(1).count()));
  std::printf(
      "  anomalies: older than an own write %lu, than another's for too long %lu, never "
      "written %lu, old for ever %lu\n",
      plain(board.not_own), plain(board.too_late), plain(board.from_nowhere),
      plain(board.stay_stale));
  if (!all_ended) std::printf("  a process ended by itself\n");
  const bool well = board.not_own == 0 && board.too_late == 0 && board.from_nowhere == 0 &&
                    board.stay_stale == 0 && board.reads > 0 && board.writes > 0;
  return well && all_ended ? 0 : 1;
}

int run(const Plan& plan) {
  std::unique_ptr<test::RedisCluster> cluster;
  std::unique_ptr<test::RedisServer> server;
  std::vector<test::RedisServer*> servers;
  std::string url;
  if (plan.cluster) {
    cluster = std::make_unique<test::RedisCluster>();
    for (std::size_t i = 0; i < cluster->size(); ++i) servers.push_back(&cluster->node(i));
    url = cluster->url();
  } else {
    server = std::make_unique<test::RedisServer>();
    servers.push_back(server.get());
    url = server->url();
  }
  Board& board = Board::create();
  std::size_t started = 0;
  const auto start = [&] {
    const std::size_t number = started++;
    return start_process(board, url, number, plan.seed + number * 1'000);
  };
  std::vector<pid_t> processes;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < kProcesses; ++i) {
    numbers.push_back(started);
    processes.push_back(start());
  }
  const auto doomed = [&](std::size_t index) { board.process_killed(numbers[index]); };
  const auto start_again = [&](std::size_t index) {
    numbers[index] = started;
    return start();
  };
  Faults faults{servers, processes, doomed, start_again, plan.seed};
  const auto end = std::chrono::steady_clock::now() + plan.length;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kCalm);
    if (plan.faults) faults.inject();
  }
  board.stop();
  bool all_ended = true;
  for (const pid_t process : processes) {
    int status = 0;
    ::waitpid(process, &status, 0);
    all_ended = all_ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return report(board, faults, all_ended, plan);
}

int usage() {
  std::fprintf(stderr, "usage: consistency redis|cluster [--seconds N] [--seed N] [--faults 0]\n");
  return 2;
}

int begin(const std::vector<std::string_view>& arguments) {
  Plan plan;
  if (arguments.empty() || arguments.size() % 2 == 0) return usage();
  if (arguments[0] != "redis" && arguments[0] != "cluster") return usage();
  plan.cluster = arguments[0] == "cluster";
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    std::uint64_t value = 0;
    const std::string_view text = arguments[i + 1];
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
      return usage();
    }
    if (arguments[i] == "--seconds") {
      plan.length = std::chrono::seconds{value};
    } else if (arguments[i] == "--faults") {
      plan.faults = value != 0;
    } else if (arguments[i] == "--seed") {
      plan.seed = value;
    } else {
      return usage();
    }
  }
  const bool installed =
      plan.cluster ? test::RedisCluster::installed() : test::RedisServer::installed();
  if (!installed) {
    std::fprintf(stderr, "consistency: redis-server is not installed; nothing was tried\n");
    return 0;
  }
  return run(plan);
}

}  // namespace
}  // namespace larder::consistency

int main(int count, char** arguments) {
  try {
    return larder::consistency::begin({arguments + 1, arguments + count});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "consistency: %s\n", problem.what());
    return 2;
  }
}
