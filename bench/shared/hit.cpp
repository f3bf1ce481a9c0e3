// What does a hit in the shared tier cost?
//
// 1, 16 and 256 callers, each of whom reads a key, waits for the answer and reads the
// next; 100-byte values; beside hiredis, one call at a time and with as many calls
// together by hand. Server and clients are each on a processor of their own.
#include <cstdio>

#include "callers.hpp"
#include "memory/report.hpp"
#include "question.hpp"
#include "shared/redis_tier.hpp"

namespace larder::bench {

namespace {

std::uint64_t bytes_through(const test::RedisServer& server) {
  const std::string info = server.ask({"INFO", "stats"}).text;
  const auto count = [&](const std::string& name) {
    return std::stoull(info.substr(info.find(name) + name.size()));
  };
  return count("total_net_input_bytes:") + count("total_net_output_bytes:");
}

// Sent and received for each of so many hits; the backplane's and the question's own few
// among them.
double bytes_a_hit(const test::RedisServer& server, Sight& sight,
                   const std::vector<std::string>& keys, std::size_t callers) {
  const std::uint64_t before = bytes_through(server);
  const std::uint64_t hits = sight.tier().stats().hits;
  (void)read_through_tier(sight, keys, callers, std::chrono::milliseconds{100});
  return static_cast<double>(bytes_through(server) - before) /
         static_cast<double>(sight.tier().stats().hits - hits);
}

}  // namespace

void answer_hit(const Effort& effort) {
  const auto server = start_server<test::RedisServer>();
  Sight sight{*server};
  const auto keys = fill_keys(sight);
  HiredisCallers hiredis{*server, shared::RedisTierOptions{}.name_space, "product"};

  const auto by_hiredis = [&](std::string name, std::size_t together, Asks asks) {
    return Contender{std::move(name), [&, together, asks] {
                       return hiredis.read(keys, together, asks, effort.slice);
                     }};
  };
  const auto by_larder = [&](std::string name, std::size_t callers) {
    return Contender{std::move(name), [&, callers] {
                       return read_through_tier(sight, keys, callers, effort.slice);
                     }};
  };
  print_title("hit: a value of 100 bytes from the shared tier");
  const auto standings = compete(
      {by_hiredis("hiredis, GET, one at a time", 1, Asks::kValue),
       by_hiredis("hiredis, GET, 256 together", 256, Asks::kValue),
       by_hiredis("hiredis, all, one at a time", 1, Asks::kAll),
       by_hiredis("hiredis, all, 16 together", 16, Asks::kAll),
       by_hiredis("hiredis, all, 256 together", 256, Asks::kAll), by_larder("larder, 1 caller", 1),
       by_larder("larder, 16 callers", 16), by_larder("larder, 256 callers", 256)},
      effort.rounds);
  print_standings(standings);
  const Standing& one = standings[0];
  const Standing& by_hand = standings[4];
  const Standing& value_alone = standings[1];
  const Standing& larder = standings[7];
  print_mark("256 callers, throughput, times hiredis one GET at a time",
             one.ratio.wall_ns / larder.ratio.wall_ns, ">=", 4);
  print_mark("256 callers, throughput by CPU, times hiredis one GET at a time",
             one.ratio.cpu_ns / larder.ratio.cpu_ns, ">=", 4);
  print_mark("256 callers, throughput, of hiredis pipelined by hand",
             by_hand.ratio.wall_ns / larder.ratio.wall_ns, ">=", 0.8);
  print_mark("256 callers, throughput by CPU, of hiredis pipelined by hand",
             by_hand.ratio.cpu_ns / larder.ratio.cpu_ns, ">=", 0.8);
  std::printf("  the same, of its GET of the value alone: throughput %.2f, by CPU %.2f\n",
              value_alone.ratio.wall_ns / larder.ratio.wall_ns,
              value_alone.ratio.cpu_ns / larder.ratio.cpu_ns);
  std::printf("  bytes on the wire a hit: 1 caller %.0f, 256 callers %.0f\n",
              bytes_a_hit(*server, sight, keys, 1), bytes_a_hit(*server, sight, keys, 256));
}

}  // namespace larder::bench
