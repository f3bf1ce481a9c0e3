// Do several larder processes over one Redis, a cluster, one Memcached, or one with a Redis beside
// it as the backplane, keep promise 3 whatever happens?
//
//   consistency redis|cluster|memcached|backplane [--writes past|through] [--seconds N] [--seed N]
//               [--faults 0]
//
// Random reads, writes (past the cache, into the source, and then an invalidation; or through
// the cache) and clears of few hot keys, whose values are versions, while servers and processes
// are killed, stopped, cut off and brought back with the past, writes through the cache at each
// of their steps. To one Redis, one Memcached and a backplane each process has networks of its own;
// each node of a cluster has one between it and all others. But over Memcached alone every second
// process keeps in memory for long, so that what it hears, and that it notices when it hears
// nothing, is all that its copies are bounded by. An anomaly is a read that is older than an own
// acknowledged write, one that is older than another's for longer than the bound, and a copy that
// stays old. Ends with 1 if there was any.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "consistency/board.hpp"
#include "consistency/faults.hpp"
#include "consistency/worker.hpp"
#include "memcached/memcached_server.hpp"
#include "redis/fault_proxy.hpp"
#include "redis/redis_cluster.hpp"
#include "redis/redis_server.hpp"

namespace larder::consistency {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kProcesses = 4;
constexpr auto kCalm = 400ms;  // between two faults

enum class Engine : std::uint8_t { kRedis, kCluster, kMemcached, kBackplane };

std::string_view name_of(Engine engine) {
  switch (engine) {
    case Engine::kRedis: return "one Redis";
    case Engine::kCluster: return "a cluster";
    case Engine::kMemcached: return "one Memcached";
    case Engine::kBackplane: return "one Memcached with a backplane";
  }
  return "";
}

struct Plan {
  Engine engine = Engine::kRedis;
  bool through = false;
  std::chrono::seconds length{10};
  std::uint64_t seed = std::random_device{}();
  bool faults = true;
};

// Has a process of its own do something; where it ends badly, that is its exit status.
pid_t fork_to(const std::function<void()>& what) {
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process != 0) return process;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(2);
  int status = 0;
  try {
    what();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "consistency: %s\n", problem.what());
    status = 2;
  }
  ::_exit(status);  // not to end the servers, which are the parent's
}

bool ended_well(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

unsigned long plain(std::uint64_t count) { return static_cast<unsigned long>(count); }

int report(const Board& board, const Faults& faults, bool all_ended, const Plan& plan) {
  std::printf("consistency of %s, writes %s the cache, %lds, seed %lu\n",
              name_of(plan.engine).data(), plan.through ? "through" : "past",
              static_cast<long>(plan.length.count()), plain(plan.seed));
  std::printf("  reads %lu, writes %lu; reads without an answer %lu, writes %lu\n",
              plain(board.reads), plain(board.writes), plain(board.errors),
              plain(board.unanswered));
  for (const auto& [name, count] : faults.counts()) std::printf("  %s: %u\n", name.c_str(), count);
  std::printf(
      "  reads that did not see another's write yet: %lu; for p50 %ld, p99 %ld, most %ld ms; "
      "once it was told, for %ld ms at most, %ld where memory keeps long\n",
      plain(board.stale_reads()), static_cast<long>(board.staleness(0.5).count()),
      static_cast<long>(board.staleness(0.99).count()),
      static_cast<long>(board.staleness(1).count()),
      static_cast<long>(board.after_told(false).count()),
      static_cast<long>(board.after_told(true).count()));
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

Server server_of(test::RedisServer& redis) {
  return {.kill = [&] { redis.kill(); },
          .start = [&] { redis.start(); },
          .pause = [&] { redis.pause(); },
          .resume = [&] { redis.resume(); },
          .cut =
              [&] {
                redis.ask({"CLIENT", "KILL", "TYPE", "normal"});
                redis.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
              },
          .save = [&] { redis.ask({"SAVE"}); }};
}

Server server_of(test::MemcachedServer& memcached, std::vector<Seat>& seats) {
  return {.kill = [&] { memcached.kill(); },
          .start = [&] { memcached.start(); },
          .pause = [&] { memcached.pause(); },
          .resume = [&] { memcached.resume(); },
          .cut =
              [&] {
                for (Seat& seat : seats) seat.networks.front()->cut();
              },
          .save = nullptr};
}

// What a run is over.
struct Bed {
  std::unique_ptr<test::RedisCluster> cluster{};
  std::unique_ptr<test::MemcachedServer> memcached{};
  std::unique_ptr<test::RedisServer> redis{};  // the tier, or the backplane

  explicit Bed(Engine engine) {
    if (engine == Engine::kCluster) cluster = std::make_unique<test::RedisCluster>(true);
    if (engine == Engine::kMemcached || engine == Engine::kBackplane) {
      memcached = std::make_unique<test::MemcachedServer>();
    }
    if (engine == Engine::kRedis || engine == Engine::kBackplane) {
      redis = std::make_unique<test::RedisServer>();
    }
  }

  [[nodiscard]] std::vector<Server> servers(std::vector<Seat>& seats) {
    std::vector<Server> all;
    for (std::size_t i = 0; cluster && i < cluster->size(); ++i) {
      all.push_back(server_of(cluster->node(i)));
    }
    if (memcached) all.push_back(server_of(*memcached, seats));
    if (redis) all.push_back(server_of(*redis));
    return all;
  }
  // To the tier, then to the backplane; none to a cluster, whose nodes tell where they are.
  [[nodiscard]] std::vector<std::unique_ptr<test::FaultProxy>> networks() const {
    std::vector<std::unique_ptr<test::FaultProxy>> all;
    if (memcached) all.push_back(std::make_unique<test::FaultProxy>(memcached->port()));
    if (redis) all.push_back(std::make_unique<test::FaultProxy>(redis->port()));
    return all;
  }
  // By its networks.
  void lead(const Seat& seat, Work& work) const {
    if (cluster) {
      work.url = cluster->url();
    } else if (memcached) {
      work.url = "memcached://127.0.0.1:" + std::to_string(seat.networks.front()->port());
      if (redis) work.backplane = seat.networks.back()->url();
    } else {
      work.url = seat.networks.front()->url();
    }
  }
};

int run(const Plan& plan) {
  Bed bed{plan.engine};
  Board& board = Board::create();
  std::vector<Seat> seats(kProcesses);
  std::size_t started = 0;
  const auto work_of = [&](const Seat& seat) {
    Work work{.url = {},
              .through = plan.through,
              .process = seat.number,
              .long_memory = plan.engine != Engine::kMemcached && (&seat - seats.data()) % 2 == 1,
              .seed = plan.seed + seat.number * 1'000};
    bed.lead(seat, work);
    return work;
  };
  const auto start = [&](Seat& seat) {
    seat.number = started++;
    seat.process = fork_to([&] { work(board, work_of(seat)); });
  };
  for (Seat& seat : seats) seat.networks = bed.networks();
  for (Seat& seat : seats) start(seat);
  Faults faults{board, bed.servers(seats), bed.cluster.get(), seats,
                start, plan.through,       plan.seed};
  const auto end = std::chrono::steady_clock::now() + plan.length;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kCalm);
    if (plan.faults) faults.inject();
  }
  board.stop();
  bool all_ended = true;
  for (const Seat& seat : seats) all_ended = ended_well(seat.process) && all_ended;
  Seat& last = seats.front();
  last.number = started++;
  all_ended = ended_well(fork_to([&] { verify(board, work_of(last)); })) && all_ended;
  return report(board, faults, all_ended, plan);
}

int usage() {
  std::fprintf(
      stderr,
      "usage: consistency redis|cluster|memcached|backplane [--writes past|through] [--seconds N] "
      "[--seed N] [--faults 0]\n");
  return 2;
}

std::optional<Engine> engine_named(std::string_view name) {
  if (name == "redis") return Engine::kRedis;
  if (name == "cluster") return Engine::kCluster;
  if (name == "memcached") return Engine::kMemcached;
  if (name == "backplane") return Engine::kBackplane;
  return std::nullopt;
}

bool installed(Engine engine) {
  switch (engine) {
    case Engine::kRedis: return test::RedisServer::installed();
    case Engine::kCluster: return test::RedisCluster::installed();
    case Engine::kMemcached: return test::MemcachedServer::installed();
    case Engine::kBackplane:
      return test::MemcachedServer::installed() && test::RedisServer::installed();
  }
  return false;
}

int begin(const std::vector<std::string_view>& arguments) {
  Plan plan;
  if (arguments.empty() || arguments.size() % 2 == 0) return usage();
  const auto engine = engine_named(arguments[0]);
  if (!engine) return usage();
  plan.engine = *engine;
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    std::uint64_t value = 0;
    const std::string_view text = arguments[i + 1];
    if (arguments[i] == "--writes" && (text == "past" || text == "through")) {
      plan.through = text == "through";
      continue;
    }
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
  if (!installed(plan.engine)) {
    std::fprintf(stderr, "consistency: the server of %s is not installed; nothing was tried\n",
                 name_of(plan.engine).data());
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
