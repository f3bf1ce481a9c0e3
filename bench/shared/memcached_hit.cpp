// What does a hit in Memcached cost?
//
// As in hit.cpp, beside libmemcached. A hit is a get of the generation and one of the value,
// with its age and CAS; libmemcached gets the value alone.
#include <cstdio>

#include "callers.hpp"
#include "memory/report.hpp"
#include "question.hpp"
#include "shared/pool_server.hpp"

namespace larder::bench {

void answer_memcached(const Effort& effort) {
  if (!test::MemcachedServer::installed()) {
    std::fprintf(stderr, "bench_shared: memcached is not installed; it was not measured\n");
    return;
  }
  const auto server = start_server<test::MemcachedServer>();
  Sight sight{*server};
  const auto keys = fill_keys(sight);
  LibmemcachedCallers libmemcached{*server, shared::PoolOptions{}.name_space, "product"};

  const auto by_libmemcached = [&](std::string name, std::size_t together) {
    return Contender{std::move(name),
                     [&, together] { return libmemcached.read(keys, together, effort.slice); }};
  };
  const auto by_larder = [&](std::string name, std::size_t callers) {
    return Contender{std::move(name), [&, callers] {
                       return read_through_tier(sight, keys, callers, effort.slice);
                     }};
  };
  print_title("memcached: a value of 100 bytes from a Memcached server");
  const auto standings = compete(
      {by_libmemcached("libmemcached, get, one at a time", 1),
       by_libmemcached("libmemcached, mget, 256 together", 256), by_larder("larder, 1 caller", 1),
       by_larder("larder, 16 callers", 16), by_larder("larder, 256 callers", 256)},
      effort.rounds);
  print_standings(standings);
  const Standing& one = standings[0];
  const Standing& larder = standings[4];
  std::printf("  256 callers, times libmemcached one at a time: throughput %.2f, by CPU %.2f\n",
              one.ratio.wall_ns / larder.ratio.wall_ns, one.ratio.cpu_ns / larder.ratio.cpu_ns);
}

}  // namespace larder::bench
