#include "consistency/worker.hpp"

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "larder/cache.hpp"
#include "shared/hearing.hpp"
#include "shared/pool_tier.hpp"
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
constexpr auto kPresent = 5ms;
// Of writes through the cache: one in so many is by somebody who does not use it, and of one in
// so many nobody knows what became of it.
constexpr unsigned kOutsideEvery = 8;
constexpr unsigned kUnknownEvery = 50;
constexpr auto kWriteTimeout = 400ms;
constexpr auto kUnknownWrite = 500ms;

using Strings = Cache<std::string, std::string>;
using Own = std::array<std::atomic<std::uint64_t>, kKeys>;  // acknowledged by this process

std::shared_ptr<shared::Tier> open_tier(Runtime& runtime, const Work& work) {
  if (memcached::is_memcached_url(work.url)) {
    shared::PoolOptions options{.url = memcached::parse_memcached_url(work.url).value(),
                                .timeout = kTimeout,
                                .lease = 1s,
                                .longest_load = 2s};
    if (!work.backplane.empty()) {
      options.backplane = redis::parse_redis_url(work.backplane).value();
    }
    return shared::PoolTier::start(runtime, std::move(options)).value();
  }
  shared::RedisTierOptions options{.url = redis::parse_redis_url(work.url).value(),
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

class Worker {
 public:
  Worker(Board& board, const Work& work, std::optional<Duration> memory_ttl)
      : board_{board},
        work_{work},
        tier_{open_tier(runtime_, work)},
        cache_{runtime_, options(memory_ttl)},
        presence_{[this](const std::stop_token& end) {
          while (!end.stop_requested()) {
            board_.present(work_.process, told());
            std::this_thread::sleep_for(kPresent);
          }
        }} {}

  void live() {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { live(i); });
  }

  // When nobody writes any more all come to the truth, and stay there.
  void come_to_rest() {
    const TimePoint deadline = std::chrono::steady_clock::now() + kTtl + kSlack;
    for (std::size_t key = 0; key < kKeys; ++key) {
      while (!true_now(key) && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(10ms);
      }
    }
    for (std::size_t key = 0; key < kKeys; ++key) {
      if (!true_now(key)) ++board_.stay_stale;
    }
  }

 private:
  CacheOptions<std::string, std::string> options(std::optional<Duration> memory_ttl) {
    CacheOptions<std::string, std::string> options{
        .source =
            [this](const std::string& key) {
              const std::uint64_t version = board_.truth(std::stoul(key));
              // An answer is on its way for a while, in which others write.
              std::this_thread::sleep_for(std::chrono::milliseconds{version % 4});
              return std::to_string(version);
            },
        .ttl = kTtl,
        .jitter = 0,
        .shared = tier_->copies("hot", 1),
        .memory_ttl = memory_ttl};
    if (!work_.through) return options;
    options.writer = [this](const std::string& key, const std::string& thread) {
      return commit(std::stoul(key), std::stoul(thread));
    };
    options.unknown_write = kUnknownWrite;
    options.writes = {.concurrent = 8, .timeout = kWriteTimeout, .wait_timeout = kWriteTimeout};
    return options;
  }

  bool true_now(std::size_t key) {
    const auto answer = cache_.get(std::to_string(key));
    return answer && std::stoull(*answer) == board_.truth(key);
  }

  void live(unsigned thread) {
    std::minstd_rand random{
        static_cast<std::minstd_rand::result_type>(work_.seed * kThreads + thread + 1)};
    while (!board_.stopped()) {
      const std::size_t key = random() % kKeys;
      const bool all = random() % kClearEvery == 0;
      const unsigned write_every = key < kKeys / 2 ? kWriteEvery : kWriteEvery * kSeldom;
      const bool writes = all || random() % write_every == 0;
      if (!writes) {
        read(key);
      } else if (work_.through && !all && random() % kOutsideEvery != 0) {
        put(key, thread);
      } else {
        write(key, all);
      }
      std::this_thread::sleep_for(kBetween);
    }
  }

  void read(std::size_t key) {
    const std::uint64_t at_least = own_[key];
    const TimePoint began = std::chrono::steady_clock::now();
    const auto answer = cache_.get(std::to_string(key));
    if (answer) {
      Board::Read seen{.key = key,
                       .version = std::stoull(*answer),
                       .own = at_least,
                       .began = began,
                       .process = work_.process};
      if (work_.long_memory) seen.vouched = shared::Hearing::kBound;
      board_.judge(seen);
    } else {
      ++board_.errors;
    }
  }

  // Past the cache, which is told.
  void write(std::size_t key, bool all) {
    const std::uint64_t version = board_.write(key);
    if (all) {
      cache_.clear();
    } else {
      cache_.invalidate(std::to_string(key));
    }
    std::promise<void> over;
    cache_.once_told([&] { over.set_value(); });
    over.get_future().wait();
    acknowledge(key, version, told());
  }

  void put(std::size_t key, unsigned thread) {
    board_.come_to(Step::kBegun, work_.process);
    const Result<void> done = cache_.put(std::to_string(key), std::to_string(thread));
    board_.come_to(Step::kAnswered, work_.process);
    if (!done) {
      ++board_.unanswered;
      return;
    }
    acknowledge(key, written_[thread], false);
  }

  void acknowledge(std::size_t key, std::uint64_t version, bool told) {
    raise(own_[key], version);
    board_.acknowledge(key, version, work_.process, told);
  }
  // Whether the shared tier has all that it was to be told.
  bool told() const { return tier_->trusted() && tier_->stats().undelivered == 0; }

  // The source's side of put().
  Result<Stored<std::string>> commit(std::size_t key, std::size_t thread) {
    const unsigned chance = commits_++;
    board_.come_to(Step::kMarked, work_.process);
    std::this_thread::sleep_for(1ms * (chance % 4));
    if (chance % kUnknownEvery == kUnknownEvery - 1) return lose(key, chance / kUnknownEvery);
    const std::uint64_t version = board_.write(key);
    written_[thread] = version;
    board_.come_to(Step::kCommitted, work_.process);
    std::this_thread::sleep_for(1ms * (chance / 4 % 4));
    return Stored<std::string>{.value = std::to_string(version)};
  }

  // The commit lands before the answer, after it, or never.
  Result<Stored<std::string>> lose(std::size_t key, unsigned chance) {
    if (chance % 3 == 0) board_.write(key);
    if (chance % 3 == 1) {
      const MutexLock lock{mutex_};
      late_.emplace_back([this, key] {
        std::this_thread::sleep_for(kUnknownWrite / 2);
        board_.write(key);
      });
    }
    return fail(Errc::kOutcomeUnknown, "the line went dead");
  }

  Board& board_;
  const Work work_;
  Own own_{};
  std::array<std::atomic<std::uint64_t>, kThreads> written_{};  // by each thread last
  std::atomic<unsigned> commits_{0};
  Mutex mutex_;
  std::vector<std::jthread> late_ LARDER_GUARDED_BY(mutex_);  // commits
  Runtime runtime_{{.io_threads = 1}};
  const std::shared_ptr<shared::Tier> tier_;
  Strings cache_;
  std::jthread presence_;
};

}  // namespace

void work(Board& board, const Work& work) {
  Worker worker{board, work, work.long_memory ? std::nullopt : std::optional<Duration>{kMemoryTtl}};
  worker.live();
  if (work.through) std::this_thread::sleep_for(kUnknownWrite);  // the last commits land
  worker.come_to_rest();
}

void verify(Board& board, const Work& work) {
  Worker{board, work, Duration::zero()}.come_to_rest();
}

}  // namespace larder::consistency
