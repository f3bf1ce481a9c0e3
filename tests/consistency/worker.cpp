#include "consistency/worker.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "larder/cache.hpp"
#include "shared/redis_tier.hpp"
#include "shared/routed_tier.hpp"

namespace larder::consistency {

namespace {

using namespace std::chrono_literals;

constexpr unsigned kThreads = 2;
constexpr unsigned kWriteEvery = 20;
constexpr unsigned kClearEvery = 20'000;
// Half of the keys are written so much more seldom: an old copy of theirs is not soon swept
// away by the next write.
constexpr unsigned kSeldom = 100;
constexpr std::chrono::microseconds kBetween{200};  // two operations of a thread

using Strings = Cache<std::string, std::string>;
using Own = std::array<std::atomic<std::uint64_t>, kKeys>;  // acknowledged by this process

std::shared_ptr<shared::Tier> open_tier(Runtime& runtime, const std::string& url) {
  shared::RedisTierOptions options{.url = redis::parse_redis_url(url).value(),
                                   .timeout = kTimeout,
                                   .lease = 1s,
                                   .longest_load = 2s};
  if (options.url.kind == redis::RedisUrl::Kind::kServer) {
    return shared::RedisTier::start(runtime, std::move(options)).value();
  }
  return shared::RoutedTier::start(runtime, std::move(options)).value();
}

void raise(std::atomic<std::uint64_t>& version, std::uint64_t to) {
  std::uint64_t now = version;
  while (now < to && !version.compare_exchange_weak(now, to)) {
  }
}

void read(Board& board, Strings& cache, const Own& own, std::size_t key) {
  const std::uint64_t at_least = own[key];
  const TimePoint began = std::chrono::steady_clock::now();
  const auto answer = cache.get(std::to_string(key));
  if (answer) {
    board.judge(key, std::stoull(*answer), at_least, began);
  } else {
    ++board.errors;
  }
}

void write(Board& board, Strings& cache, Own& own, std::size_t key, bool all, std::size_t process) {
  const std::uint64_t version = board.write(key);
  if (all) {
    cache.clear();
  } else {
    cache.invalidate(std::to_string(key));
  }
  raise(own[key], version);
  board.acknowledge(key, version, process);
}

void live(Board& board, Strings& cache, Own& own, std::size_t process, std::uint64_t seed) {
  std::minstd_rand random{static_cast<std::minstd_rand::result_type>(seed)};
  while (!board.stopped()) {
    const std::size_t key = random() % kKeys;
    const bool all = random() % kClearEvery == 0;
    const unsigned write_every = key < kKeys / 2 ? kWriteEvery : kWriteEvery * kSeldom;
    if (all || random() % write_every == 0) {
      write(board, cache, own, key, all, process);
    } else {
      read(board, cache, own, key);
    }
    std::this_thread::sleep_for(kBetween);
  }
}

// When nobody writes any more all come to the truth.
void come_to_rest(Board& board, Strings& cache) {
  const TimePoint deadline = std::chrono::steady_clock::now() + kTtl + kSlack;
  for (std::size_t key = 0; key < kKeys; ++key) {
    for (;;) {
      const auto answer = cache.get(std::to_string(key));
      if (answer && std::stoull(*answer) == board.truth(key)) break;
      if (std::chrono::steady_clock::now() > deadline) {
        ++board.stay_stale;
        break;
      }
      std::this_thread::sleep_for(10ms);
    }
  }
}

}  // namespace

void work(Board& board, const std::string& url, std::size_t process, std::uint64_t seed) {
  Runtime runtime{{.io_threads = 1}};
  const auto tier = open_tier(runtime, url);
  Strings cache{runtime,
                {.source =
                     [&board](const std::string& key) {
                       const std::uint64_t version = board.truth(std::stoul(key));
                       // An answer is on its way for a while, in which others write.
                       std::this_thread::sleep_for(std::chrono::milliseconds{version % 4});
                       return std::to_string(version);
                     },
                 .ttl = kTtl,
                 .jitter = 0,
                 .shared = tier->copies("hot", 1),
                 .memory_ttl = kMemoryTtl}};
  Own own{};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] { live(board, cache, own, process, seed * kThreads + i + 1); });
    }
  }
  come_to_rest(board, cache);
}

}  // namespace larder::consistency
