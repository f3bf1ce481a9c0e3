// What do 100 keys cost that nobody has: asked for one after the other, and together?
//
// A row of three columns by its primary key, out of 10,000 that PostgreSQL has in memory, over
// TCP to this machine and over a Unix socket, which are the shortest round trips that there are;
// a cache that is emptied before each time. Together with a statement for many
// keys, which is one query, and without, which is 100 in one pipeline. Rounds alternate, since
// machines are not quiet; the medians stand below them. Each round takes the median of many
// times too.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "demo/free_port.hpp"
#include "larder/cache.hpp"
#include "larder/postgres.hpp"
#include "larder/sql.hpp"
#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using std::chrono::steady_clock;

constexpr int kRows = 10'000;
constexpr int kKeys = 100;
constexpr const char* kOne = "SELECT id, name, price FROM products WHERE id = :id";
constexpr const char* kMany = "SELECT id, name, price FROM products WHERE id = ANY(:ids)";

using Products = Cache<std::int64_t, std::string>;

std::vector<std::int64_t> keys_of(int time) {
  std::vector<std::int64_t> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back((time * kKeys + i * 97) % kRows);
  return keys;
}

void check(const Answer<std::string>& answer) {
  if (!answer) throw std::runtime_error{"a key was not loaded"};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Microseconds for the keys of one time.
double measure(Products& products, int times,
               const std::function<void(const std::vector<std::int64_t>&)>& ask) {
  std::vector<double> took;
  for (int time = 0; time < times; ++time) {
    const auto keys = keys_of(time);
    products.clear();
    const auto began = steady_clock::now();
    ask(keys);
    took.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - began).count());
  }
  return median(std::move(took));
}

void compare(const char* way, const std::string& url, bool brief) {
  Runtime runtime;
  const auto shop = postgres(runtime, url, {.connections = 1});
  Products one{runtime, {.source = sql<std::int64_t, std::string>(shop, kOne)}};
  Products many{runtime,
                {.source = sql<std::int64_t, std::string>(
                     shop, SqlRead{.one = kOne, .many = kMany, .many_key = "id"})}};
  const auto alone = [&](const auto& keys) {
    for (const std::int64_t key : keys) check(one.get(key));
  };
  const auto pipelined = [&](const auto& keys) {
    for (const auto& answer : one.get_many(keys)) check(answer);
  };
  const auto together = [&](const auto& keys) {
    for (const auto& answer : many.get_many(keys)) check(answer);
  };

  const int times = brief ? 1 : 50;
  std::vector<double> of_alone;
  std::vector<double> of_pipelined;
  std::vector<double> of_together;
  for (int round = 0; round < (brief ? 1 : 9); ++round) {
    of_alone.push_back(measure(one, times, alone));
    of_pipelined.push_back(measure(one, times, pipelined));
    of_together.push_back(measure(many, times, together));
    std::printf(
        "%-11s %d keys: one by one %8.0f us, as one pipeline %7.0f us, as one query %7.0f us\n",
        way, kKeys, of_alone.back(), of_pipelined.back(), of_together.back());
    std::fflush(stdout);
  }
  std::printf("%-11s medians: one pipeline is %.1f times as fast as one by one, one query %.1f\n",
              way, median(of_alone) / median(of_pipelined), median(of_alone) / median(of_together));
}

void run(bool brief) {
  const std::uint16_t port = demo::free_port(0, 0).value();
  const auto server = PostgresServer::start({"listen_addresses=127.0.0.1"}, port);
  if (!server) {
    std::puts("PostgreSQL is not installed here");
    return;
  }
  PostgresClient{server->url()}.execute(
      "CREATE TABLE products AS SELECT i AS id, 'Product ' || i AS name, i / 7.0 AS price FROM "
      "generate_series(0, " +
      std::to_string(kRows - 1) + ") i; ALTER TABLE products ADD PRIMARY KEY (id); ANALYZE");
  compare("TCP", "postgresql://larder@127.0.0.1:" + std::to_string(port) + "/postgres", brief);
  compare("Unix socket", server->url(), brief);
}

}  // namespace
}  // namespace larder

int main(int count, char** words) {
  larder::run(count > 1 && std::string_view{words[1]} == "--short");
}
