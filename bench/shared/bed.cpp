#include "bed.hpp"

#include <sched.h>

#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "memcached/memcached_url.hpp"
#include "redis/redis_url.hpp"
#include "shared/pool_tier.hpp"
#include "shared/redis_tier.hpp"

namespace larder::bench {

namespace {

constexpr std::uint64_t kFingerprint = 7;
constexpr std::chrono::seconds kPatience{10};  // a busy machine is no lost tier

std::vector<int> processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> found;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) found.push_back(i);
  }
  return found;
}

void keep_to(const std::vector<int>& processors) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (const int each : processors) CPU_SET(each, &allowed);
  sched_setaffinity(0, sizeof allowed, &allowed);
}

}  // namespace

OnTheLastProcessor::OnTheLastProcessor() : others_{processors()} {
  if (others_.empty()) return;
  const int last = others_.back();
  others_.pop_back();
  if (!others_.empty()) keep_to({last});
}

OnTheLastProcessor::~OnTheLastProcessor() {
  if (!others_.empty()) keep_to(others_);
}

Sight::Sight(const test::RedisServer& server) {
  auto url = redis::parse_redis_url(server.url()).value();
  tier_ = shared::RedisTier::start(runtime_, {.url = std::move(url), .timeout = kPatience}).value();
  copies_ = tier_->copies("product", kFingerprint);
  while (!tier_->trusted() || tier_->stats().gaps == 0) std::this_thread::yield();
}

Sight::Sight(const test::MemcachedServer& server) {
  auto url = memcached::parse_memcached_url(server.url()).value();
  tier_ = shared::PoolTier::start(runtime_, {.url = std::move(url), .timeout = kPatience}).value();
  copies_ = tier_->copies("product", kFingerprint);
  while (!tier_->trusted()) std::this_thread::yield();
}

std::vector<std::string> fill_keys(Sight& sight) {
  std::vector<std::string> keys;
  std::vector<SharedCopies::Key> wanted;
  for (std::size_t i = 0; i < kKeys; ++i) {
    keys.push_back(std::to_string(100'000 + i));
    wanted.push_back({.key = keys.back()});
  }
  const std::string value(kValueSize, 'v');
  std::atomic<std::size_t> owed{kKeys};
  sight.copies()->read(std::move(wanted), [&](SharedCopies::Answers answers) {
    for (auto& [index, answer] : answers) {
      if (answer.lease) {
        sight.copies()->fill(std::move(answer.lease), value, std::chrono::hours{1}, {});
      }
      --owed;
    }
  });
  while (owed > 0 || sight.tier().stats().fills < kKeys) std::this_thread::yield();
  return keys;
}

}  // namespace larder::bench
